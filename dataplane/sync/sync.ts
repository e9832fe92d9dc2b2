/**
 * Sync: the data plane's end of the wire. Starts with the table from disk, keeps one stream to some
 * controller, and tells the process when it is ready. Configuration walk: push → SYNC → swap → ack.
 * Pinned by test/wire/resume.test.ts: "with no controller the table from disk serves, and is ready".
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Reached } from '#wire/basis'
import { PING_EVERY_MS } from '#wire/limits'
import type { EndpointSet, Rejection } from '#wire/session'
import { objectId } from '#wire/table'
import type { TableObject } from '#wire/table'
import { Apply } from './apply.ts'
import { openDisk } from './disk.ts'
import type { Disk, StoredTable } from './disk.ts'
import { createHeldEndpoints } from './endpoints.ts'
import type { HeldEndpoints } from './endpoints.ts'
import { createHeld } from './held.ts'
import type { Held } from './held.ts'
import { KEEP_EVERY_MS, createKeep } from './keep.ts'
import type { Keep, KeepEvery } from './keep.ts'
import type { Logger, Workers } from './port.ts'
import { createReadiness } from './readiness.ts'
import type { Readiness } from './readiness.ts'
import { endpointsAtStart } from './restore.ts'
import { runStream } from './stream.ts'
import type { Ended } from './stream.ts'

export interface SyncOptions {
  /** `https://host:port` of each; names with several addresses are tried as the resolver says. */
  readonly controllers: readonly string[]
  /** PEM of the wire's authorities; like the token read anew for each connection. */
  readonly caFile: string
  readonly tokenFile: string
  /** Of this data plane; where the token names a pod, the pod counts. */
  readonly name: string
  /** Folder of the last good table; null: none is kept. */
  readonly state: string | null
  /** Where its secrets are kept; absent: in `state`. */
  readonly secretsState?: string
  readonly workers: Workers
  readonly log: Logger
  /** What runs, the stream or readiness changed. */
  readonly onChange?: () => void
  readonly timings?: Partial<SyncTimings>
}

export interface SyncTimings {
  readonly silenceMs: number
  readonly connectWithinMs: number
  /** Between attempts: doubled from the one to the other. */
  readonly retryMsMin: number
  readonly retryMsMax: number
  /** Before another controller is asked, where one was behind. */
  readonly elsewhereMs: number
  /** With a table from disk: so long a controller is waited for before it serves. */
  readonly aloneAfterMs: number
  readonly keepEveryMs: KeepEvery
}

export const SYNC_TIMINGS: SyncTimings = {
  silenceMs: 3 * PING_EVERY_MS,
  connectWithinMs: 10_000,
  retryMsMin: 200,
  retryMsMax: 5_000,
  elsewhereMs: 1_000,
  aloneAfterMs: 5_000,
  keepEveryMs: KEEP_EVERY_MS,
}

export interface SyncState {
  readonly readiness: 'waiting' | 'ready'
  /** What readiness waits for, for people. */
  readonly because: string
  /** By `objectId`: the same map all the time. Secrets are in it: never print it. */
  readonly objects: ReadonlyMap<string, TableObject>
  readonly endpoints: ReadonlyMap<string, EndpointSet>
  /** Null: nothing runs. */
  readonly hash: string | null
  readonly reached: Reached
  readonly rejected: readonly Rejection[]
  readonly from: 'nothing' | 'disk' | 'stream'
  readonly stream: 'up' | 'down'
  /** The gateway whose table is offered; null: no controller has said. */
  readonly gateway: string | null
}

export interface Sync {
  state(): SyncState
  /** Resolves once, and never rejects. */
  readonly ready: Promise<void>
  close(): Promise<void>
}

/** Resolves when a table from disk, if there is one, runs. Rejects with StateFolderRefused. */
export async function startSync(options: SyncOptions): Promise<Sync> {
  const { state: folder, secretsState, log } = options
  const secrets = secretsState === undefined ? {} : { secretsFolder: secretsState }
  const disk = folder === null ? null : await openDisk({ folder, log, ...secrets })
  const loop = new SyncLoop(options, disk)
  await loop.restore()
  void loop.run()
  return { state: () => loop.state, ready: loop.ready, close: () => loop.close() }
}

/** A stream that lasted so long was a good one: the next attempt need not wait. */
const GOOD_AFTER_MS = 10_000
/** Spread over the data planes of a controller that goes. */
const ANEW_MS = 200

class SyncLoop {
  readonly #options: SyncOptions
  readonly #timings: SyncTimings
  readonly #disk: Disk | null
  readonly #held: Held = createHeld()
  readonly #endpoints: HeldEndpoints = createHeldEndpoints()
  readonly #readiness: Readiness
  readonly #apply: Apply
  readonly #keep: Keep | null
  readonly #closing = new AbortController()
  #from: SyncState['from'] = 'nothing'
  #stream: SyncState['stream'] = 'down'
  #gateway: string | null = null
  #running: Promise<void> = Promise.resolve()

  constructor(options: SyncOptions, disk: Disk | null) {
    const { workers, log } = options
    this.#options = options
    this.#timings = { ...SYNC_TIMINGS, ...options.timings }
    this.#disk = disk
    this.#readiness = createReadiness(this.#held)
    const held = this.#held
    const endpoints = this.#endpoints
    const everyMs = this.#timings.keepEveryMs
    this.#keep = disk === null ? null : createKeep({ disk, held, endpoints, log, everyMs })
    this.#apply = new Apply({ held, endpoints, workers, log, on: this.#events() })
  }

  get ready(): Promise<void> {
    return this.#readiness.ready
  }

  get state(): SyncState {
    const { objects, hash, reached, rejected } = this.#held
    return {
      readiness: this.#readiness.state,
      because: this.#readiness.because,
      objects,
      endpoints: this.#endpoints.sets,
      hash,
      reached,
      rejected,
      from: this.#from,
      stream: this.#stream,
      gateway: this.#gateway,
    }
  }

  #events(): ConstructorParameters<typeof Apply>[0]['on'] {
    return {
      hello: (hello) => {
        this.#stream = 'up'
        this.#gateway = hello.gateway
        this.#readiness.offered(hello)
        this.#changed()
      },
      committed: (change) => {
        this.#from = 'stream'
        this.#readiness.committed()
        this.#keep?.tableChanged()
        if (change.puts.some(({ kind }) => kind === 'backend')) this.#keep?.endpointsChanged()
        this.#changed()
      },
      refused: () => {
        this.#readiness.alone('the controller sends a table that cannot be taken')
        this.#changed()
      },
      endpoints: () => this.#keep?.endpointsChanged(),
    }
  }

  #changed(): void {
    this.#options.onChange?.()
  }

  /** The table from disk is checked like one from a stream; where it cannot run, nothing does. */
  async restore(): Promise<void> {
    const table = (await this.#disk?.readTable()) ?? null
    if (table === null) return
    const stored = (await this.#disk?.readEndpoints()) ?? null
    const { workers, log } = this.#options
    const puts = new Map(table.objects.map((one) => [objectId(one.kind, one.key), one]))
    const planned = this.#held.plan({ from: 'snapshot', puts, drops: new Map(), hash: table.hash })
    if (planned.kind === 'refused') {
      log.error({ because: planned.because }, 'the table from disk is not used')
      return
    }
    const sets = endpointsAtStart(table.objects, stored, Date.now())
    this.#endpoints.restore(sets)
    workers.endpoints(sets)
    try {
      const rejected = await workers.swap(planned.change)
      this.#held.commit(planned.change, { reached: table.reached, rejected })
      this.#restored(table)
    } catch (error) {
      log.error({ error: String(error) }, 'bug: the workers could not take the table from disk')
    }
  }

  #restored(table: StoredTable): void {
    this.#from = 'disk'
    const objects = table.objects.length
    this.#options.log.info({ hash: table.hash, objects }, 'the last good table was read from disk')
    const fallback = (): void => this.#readiness.alone('no controller has answered yet')
    const timer = setTimeout(fallback, this.#timings.aloneAfterMs)
    this.#closing.signal.addEventListener('abort', () => clearTimeout(timer))
  }

  /** Until it is closed; never rejects. */
  run(): Promise<void> {
    this.#running = this.#loop()
    return this.#running
  }

  async #loop(): Promise<void> {
    const { controllers } = this.#options
    const { signal } = this.#closing
    let at = Math.floor(Math.random() * controllers.length)
    let failures = 0
    while (!signal.aborted) {
      const startedMs = performance.now()
      const controller = controllers[at % controllers.length] ?? ''
      const ended = await this.#once(controller)
      if (signal.aborted) return
      const good = ended.was === 'open' && performance.now() - startedMs >= GOOD_AFTER_MS
      failures = good ? 0 : failures + 1
      if (ended.next === 'elsewhere') at += 1
      // Each twice, so that one connection that fails by chance does not count.
      if (failures >= 2 * controllers.length) this.#readiness.alone('no controller can be reached')
      this.#ended(controller, ended, failures)
      await delay(this.#waitMs(ended, failures), undefined, { signal }).catch(() => undefined)
    }
  }

  #once(controller: string): Promise<Ended> {
    const { caFile, tokenFile, name } = this.#options
    const { silenceMs, connectWithinMs } = this.#timings
    const { signal } = this.#closing
    return runStream(
      { controller, caFile, tokenFile, silenceMs, connectWithinMs, signal },
      {
        resume: () => this.#apply.resume(name),
        take: (heard) => {
          if (this.#stream === 'up') this.#keep?.confirmed()
          return this.#apply.take(heard)
        },
      },
    )
  }

  #ended(controller: string, { because, was }: Ended, failures: number): void {
    this.#stream = 'down'
    // Powers of two: an outage of an hour is some ten lines.
    if ((failures & (failures - 1)) === 0) {
      this.#options.log.warn({ controller, because, failures }, `no stream (${was}): ${because}`)
    }
    this.#changed()
  }

  #waitMs({ was, next }: Ended, failures: number): number {
    const { retryMsMin, retryMsMax, elsewhereMs } = this.#timings
    if (failures === 0) return Math.random() * ANEW_MS
    if (was === 'open' && next === 'elsewhere') return elsewhereMs * (0.5 + Math.random())
    const backoffMs = Math.min(retryMsMax, retryMsMin * 2 ** Math.min(failures - 1, 16))
    return backoffMs * (0.5 + Math.random() / 2)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running
    await this.#keep?.flush()
  }
}
