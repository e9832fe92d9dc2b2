/**
 * The client's body on its way to a backend: counted for the record, and cut where it becomes larger
 * than its rule allows. The backend sees a request that was broken off, never one that looks whole.
 * Pinned by counted-body.test.ts: "a body that grows too large is a 413, and its upstream is aborted".
 */
import type { BodySink, Exchange, RequestBody } from '../../request/exchange.ts'
import type { Failure } from '../../request/failure.ts'
import type { ClientHeaders } from '../../runtime/client-headers.ts'
import { tooLarge } from '../body.ts'
import { requestTrailers } from '../rewrite/request-trailers.ts'
import type { MirrorCopy } from './mirror.ts'

export class CountedBody implements RequestBody, BodySink {
  readonly empty = false
  readonly bytesDeclared: number | null
  /** Why it was cut; null: it was not. */
  refusal: Failure | null = null
  readonly #exchange: Exchange
  readonly #bytesMax: number
  readonly #copy: MirrorCopy | null
  readonly #clientHeaders: ClientHeaders
  #sink: BodySink | null = null

  /** `bytesMax`: null where there is no bound; `copy`: where it is mirrored. */
  constructor(
    exchange: Exchange,
    bytesMax: number | null,
    copy: MirrorCopy | null,
    clientHeaders: ClientHeaders,
  ) {
    this.#clientHeaders = clientHeaders
    this.#copy = copy
    this.#exchange = exchange
    this.#bytesMax = bytesMax ?? Number.POSITIVE_INFINITY
    this.bytesDeclared = exchange.body.bytesDeclared
  }

  start(sink: BodySink): void {
    this.#sink = sink
    this.#exchange.body.start(this)
  }

  resume(): void {
    this.#exchange.body.resume()
  }

  data(chunk: Buffer): 'more' | 'pause' {
    // What comes after the cut is for nobody, and its connection ends with the answer.
    if (this.refusal !== null) return 'pause'
    this.#exchange.bytesIn += chunk.length
    if (this.#exchange.bytesIn > this.#bytesMax) {
      this.refusal = tooLarge(this.#bytesMax)
      this.#sink?.abort()
      return 'pause'
    }
    this.#copy?.add(chunk)
    return this.#sink?.data(chunk) ?? 'more'
  }

  end(trailers: readonly string[] | null = null): void {
    if (this.refusal !== null) return
    this.#sink?.end(requestTrailers(trailers, this.#exchange, this.#clientHeaders))
    this.#copy?.end()
  }

  abort(): void {
    if (this.refusal === null) this.#sink?.abort()
  }
}
