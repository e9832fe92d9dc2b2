/**
 * Carries access-log lines from a worker to the main thread, some at a time, and drops them,
 * counted, where that does not keep up: a log that nobody reads must not fill the memory.
 * Pinned by log-shipping.test.ts: "lines that nobody takes are dropped and counted".
 */
import type { AccessLines } from './log.ts'
import { CELLS, type MetricsSlab } from './metrics-slab.ts'
import type { ExchangeRecord, RecordSink } from './request/record.ts'

/** Sent at once when so much has come together, */
const BATCH_CHARACTERS = 32 * 1024
/** and in any case after this. */
const BATCH_MS = 20

/** On its way to the main thread; some 20,000 lines. */
const UNTAKEN_MAX = 8 * 1024 * 1024

export class LogShipping implements RecordSink {
  readonly #lines: AccessLines
  readonly #slab: MetricsSlab
  readonly #send: (lines: string, count: number) => void
  #batch = ''
  #count = 0
  #timer: NodeJS.Timeout | null = null

  constructor(lines: AccessLines, slab: MetricsSlab, send: (lines: string, count: number) => void) {
    this.#lines = lines
    this.#slab = slab
    this.#send = send
  }

  record(record: ExchangeRecord): void {
    this.#batch += this.#lines.line(record)
    this.#count++
    if (this.#batch.length >= BATCH_CHARACTERS) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), BATCH_MS)
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const batch = this.#batch
    const count = this.#count
    if (count === 0) return
    this.#batch = ''
    this.#count = 0
    const { cells } = this.#slab
    const untaken = (cells[CELLS.logSent] ?? 0) - (cells[CELLS.logTaken] ?? 0)
    if (untaken + batch.length > UNTAKEN_MAX) {
      this.#slab.add('logDropped', count)
      return
    }
    this.#slab.add('logSent', batch.length)
    this.#send(batch, count)
  }
}
