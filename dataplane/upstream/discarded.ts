/**
 * Reads an answer that nobody will see to its end, so that its connection can be used again; a long
 * or a slow one is not worth it.
 * Pinned by call.test.ts: "a status that the rule names is tried again, its answer discarded".
 */
import type { AnswerSink, AnswerStream } from '../request/outcome.ts'
import type { Deadlines } from './deadlines.ts'
import { IdleStream } from './idle-stream.ts'

/** More would cost more than a new connection. */
const BYTES_MAX = 64 * 1024
const SILENT_MS_MAX = 1_000

export function discard(
  answer: AnswerStream,
  clock: { readonly now: () => number; readonly deadlines: Deadlines },
): void {
  const stream = new IdleStream(answer, SILENT_MS_MAX, clock)
  stream.start(new Discarded(stream))
}

class Discarded implements AnswerSink {
  readonly #stream: AnswerStream
  #bytes = 0

  constructor(stream: AnswerStream) {
    this.#stream = stream
  }

  data(chunk: Buffer): 'more' {
    this.#bytes += chunk.length
    if (this.#bytes > BYTES_MAX) this.#stream.abort()
    return 'more'
  }

  end(): void {}
  fail(): void {}
}
