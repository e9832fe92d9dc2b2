/**
 * A backend's answer on its way to the client, and into the store.
 * Proved by ../cache.test.ts.
 */
import { CACHED_ANSWER_BYTES_MAX } from '#wire/limits'
import type { Failure } from '../../request/failure.ts'
import type { AnswerSink, AnswerStream } from '../../request/outcome.ts'

/** An answer on its way, copied while it passes; kept once it is whole, and not before. */
export class KeptStream implements AnswerStream, AnswerSink {
  readonly bytesDeclared: number | null
  readonly #from: AnswerStream
  readonly #ended: (bytes: Buffer | null) => void
  #chunks: Buffer[] | null = []
  #bytes = 0
  #sink: AnswerSink | null = null

  /** `ended`: once; null where it is not to be kept after all. Not called where it breaks off. */
  constructor(from: AnswerStream, ended: (bytes: Buffer | null) => void) {
    this.#from = from
    this.#ended = ended
    this.bytesDeclared = from.bytesDeclared
  }

  start(sink: AnswerSink): void {
    this.#sink = sink
    this.#from.start(this)
  }

  resume(): void {
    this.#from.resume()
  }

  abort(): void {
    this.#chunks = null
    this.#from.abort()
  }

  data(chunk: Buffer): 'more' | 'pause' {
    this.#bytes += chunk.length
    if (this.#bytes > CACHED_ANSWER_BYTES_MAX) this.#giveUp()
    this.#chunks?.push(Buffer.from(chunk))
    return this.#sink?.data(chunk) ?? 'more'
  }

  /** Trailers would be lost: such an answer is not kept, nor one that is shorter than it said. */
  end(trailers: readonly string[] | null): void {
    const isWhole = this.bytesDeclared === null || this.bytesDeclared === this.#bytes
    if (this.#chunks !== null && trailers === null && isWhole) {
      this.#ended(Buffer.concat(this.#chunks))
    } else this.#giveUp()
    this.#sink?.end(trailers)
  }

  /** Whoever waits for it in the store learns at once that it will not be there. */
  #giveUp(): void {
    if (this.#chunks === null) return
    this.#chunks = null
    this.#ended(null)
  }

  fail(failure: Failure): void {
    this.#chunks = null
    this.#sink?.fail(failure)
  }
}
