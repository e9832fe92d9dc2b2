/**
 * A request's body that can be sent once more: what was read of it is kept, up to a bound. Only where
 * a rule allows another attempt of such a request; all other bodies are streamed and never kept.
 * Pinned by replay-body.test.ts: "every attempt gets the whole body, in order".
 */
import { RETRY_BODY_BYTES_MAX } from '#wire/limits'
import type { BodySink, RequestBody } from '../request/exchange.ts'

export class ReplayBody implements RequestBody, BodySink {
  readonly empty = false
  readonly bytesDeclared: number | null
  readonly #source: RequestBody
  #kept: Buffer[] = []
  #bytes = 0
  #sink: BodySink | null = null
  #trailers: readonly string[] | null = null
  #state: 'unread' | 'flowing' | 'paused' | 'ended' | 'aborted' = 'unread'
  #holds: 'all' | 'part' = 'all'

  constructor(source: RequestBody) {
    this.#source = source
    this.bytesDeclared = source.bytesDeclared
  }

  /** part: it was longer than the bound, or the client went away. */
  get holds(): 'all' | 'part' {
    return this.#holds
  }

  /** Once for each attempt; what was kept comes at once, and is small. */
  start(sink: BodySink): void {
    this.#sink = sink
    if (this.#state === 'unread') {
      this.#state = 'flowing'
      this.#source.start(this)
      return
    }
    if (this.#holds === 'part') return sink.abort()
    let flow: 'more' | 'pause' = 'more'
    for (const chunk of this.#kept) flow = sink.data(chunk)
    if (this.#state === 'ended') sink.end(this.#trailers)
    else if (flow === 'more') this.resume()
  }

  /** The attempt that read it is over. */
  release(): void {
    this.#sink = null
  }

  resume(): void {
    if (this.#state !== 'paused') return
    this.#state = 'flowing'
    this.#source.resume()
  }

  data(chunk: Buffer): 'more' | 'pause' {
    this.#keep(chunk)
    // Between two attempts nobody reads.
    const flow = this.#sink?.data(chunk) ?? 'pause'
    if (flow === 'pause') this.#state = 'paused'
    return flow
  }

  #keep(chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes <= RETRY_BODY_BYTES_MAX && this.#holds === 'all') this.#kept.push(chunk)
    else {
      this.#holds = 'part'
      this.#kept = []
    }
  }

  end(trailers: readonly string[] | null = null): void {
    this.#state = 'ended'
    this.#trailers = trailers
    this.#sink?.end(trailers)
  }

  abort(): void {
    this.#state = 'aborted'
    this.#holds = 'part'
    this.#sink?.abort()
  }
}
