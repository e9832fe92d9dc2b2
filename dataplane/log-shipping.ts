/**
 * Carries access-log lines from a worker to the main thread, some at a time, and drops them,
 * counted, where that does not keep up: a log that nobody reads must not fill the memory.
 * Pinned by log-shipping.test.ts: "lines that nobody takes are dropped and counted".
 */
import type { AccessLines } from './log.ts'
import { CELLS, type MetricsSlab } from './metrics-slab.ts'
import type { ExchangeRecord, RecordSink } from './request/record.ts'

/** Sent at once when the next line would not fit, */
const BATCH_BYTES = 64 * 1024
/** and in any case after this. */
const BATCH_MS = 20

/** On its way to the main thread; some 15,000 lines. */
const UNTAKEN_MAX = 8 * 1024 * 1024

export class LogShipping implements RecordSink {
  readonly #lines: AccessLines
  readonly #slab: MetricsSlab
  readonly #send: (lines: Uint8Array<ArrayBuffer>, count: number) => void
  /** Bytes, not text: a growing text is a tree of thousands of parts that all must be kept. */
  #batch = Buffer.allocUnsafeSlow(BATCH_BYTES)
  #bytes = 0
  #count = 0
  #timer: NodeJS.Timeout | null = null

  /** `send` may transfer the bytes: they are not touched again. */
  constructor(
    lines: AccessLines,
    slab: MetricsSlab,
    send: (lines: Uint8Array<ArrayBuffer>, count: number) => void,
  ) {
    this.#lines = lines
    this.#slab = slab
    this.#send = send
  }

  record(record: ExchangeRecord): void {
    const line = this.#lines.line(record)
    if (this.#bytes + line.length > BATCH_BYTES) this.flush()
    if (line.length > BATCH_BYTES) this.#batch = Buffer.allocUnsafeSlow(line.length)
    this.#bytes += this.#batch.write(line, this.#bytes, 'latin1')
    this.#count++
    this.#timer ??= setTimeout(() => this.flush(), BATCH_MS)
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const lines = this.#batch.subarray(0, this.#bytes)
    const count = this.#count
    if (count === 0) return
    this.#bytes = 0
    this.#count = 0
    const { cells } = this.#slab
    const untaken = (cells[CELLS.logSent] ?? 0) - (cells[CELLS.logTaken] ?? 0)
    if (untaken + lines.length > UNTAKEN_MAX) {
      this.#slab.add('logDropped', count)
      return
    }
    this.#batch = Buffer.allocUnsafeSlow(BATCH_BYTES)
    this.#slab.add('logSent', lines.length)
    this.#send(lines, count)
  }
}
