/**
 * When what runs is written to disk: soon after it changed, but at most once a second, and never in
 * the way of anything else. A disk that fails is said in the log and tried again at the next change.
 * Pinned by keep.test.ts: "many commits are one write".
 */
import type { Disk } from './disk.ts'
import type { HeldEndpoints } from './endpoints.ts'
import type { Held } from './held.ts'
import type { Logger } from './port.ts'

export interface Keep {
  tableChanged(): void
  endpointsChanged(): void
  /** A stream is up: the endpoints on disk are as good as today's. */
  confirmed(): void
  /** Writes what is not written yet. */
  flush(): Promise<void>
}

export interface KeepOptions {
  readonly disk: Disk
  readonly held: Held
  readonly endpoints: HeldEndpoints
  readonly log: Logger
  readonly everyMs: KeepEvery
}

export interface KeepEvery {
  readonly table: number
  /** They change with every pod; without them a restart falls back to the addresses of Services. */
  readonly endpoints: number
  /** Where nothing changes, so that their time does not make them look old. */
  readonly confirm: number
}

export const KEEP_EVERY_MS: KeepEvery = { table: 1_000, endpoints: 1_000, confirm: 60_000 }

export function createKeep({ disk, held, endpoints, log, everyMs }: KeepOptions): Keep {
  async function writeTable(): Promise<void> {
    const { hash, reached } = held
    if (hash !== null) await disk.writeTable({ objects: [...held.objects.values()], hash, reached })
  }
  async function writeEndpoints(): Promise<void> {
    await disk.writeEndpoints({ atMs: Date.now(), sets: [...endpoints.sets.values()] })
  }
  const table = new Writer(writeTable, everyMs.table, log)
  const sets = new Writer(writeEndpoints, everyMs.endpoints, log)
  return {
    tableChanged: () => table.due(),
    endpointsChanged: () => sets.due(),
    confirmed() {
      if (performance.now() - sets.writtenAtMs >= everyMs.confirm) sets.due()
    },
    async flush() {
      await Promise.all([table.flush(), sets.flush()])
    },
  }
}

class Writer {
  readonly #write: () => Promise<void>
  readonly #everyMs: number
  readonly #log: Logger
  #state: 'clean' | 'dirty' = 'clean'
  #timer: NodeJS.Timeout | null = null
  #running: Promise<void> | null = null
  /** `performance.now()` of the last try. */
  writtenAtMs = Number.NEGATIVE_INFINITY

  constructor(write: () => Promise<void>, everyMs: number, log: Logger) {
    this.#write = write
    this.#everyMs = everyMs
    this.#log = log
  }

  due(): void {
    this.#state = 'dirty'
    if (this.#running === null) this.#plan()
  }

  async flush(): Promise<void> {
    await this.#running
    this.#unplan()
    if (this.#state === 'dirty') await this.#run()
    this.#unplan()
  }

  #plan(): void {
    const waitMs = Math.max(0, this.writtenAtMs + this.#everyMs - performance.now())
    this.#timer ??= setTimeout(() => {
      this.#running = this.#run()
    }, waitMs)
  }

  #unplan(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    this.#timer = null
    this.#state = 'clean'
    this.writtenAtMs = performance.now()
    await this.#write().catch((error: unknown) => {
      const message = 'the state folder cannot be written; a restart would miss this change'
      this.#log.error({ error: String(error) }, message)
    })
    this.#running = null
    if (this.#waiting() === 'dirty') this.#plan()
  }

  /** Read anew: it may have become dirty while the write was awaited. */
  #waiting(): 'clean' | 'dirty' {
    return this.#state
  }
}
