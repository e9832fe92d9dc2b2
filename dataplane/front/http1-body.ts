/**
 * The body of a request over HTTP/1, pushed to whoever starts it, at its pace. What nobody starts
 * stays in the connection, where the answer decides whether to drain it or to close.
 * Pinned by http1-body.test.ts: "an upload is paced by whoever reads it".
 */
import type { BodySink, RequestBody } from '../request/exchange.ts'
import type { RequestHead } from './request-head.ts'

/** A request without body needs no object of its own. */
export const EMPTY_BODY: RequestBody = {
  empty: true,
  bytesDeclared: 0,
  start: (sink) => sink.end(),
  resume: () => undefined,
}

/** What a body asks of its connection. */
export interface BodySource {
  /** The client may send it (RFC 9110 section 15.2.1). */
  sendContinue(): void
  /** There is room again. */
  readOn(): void
  /** Calls what belongs to an exchange: its mistakes end the connection. */
  guard(call: () => void): void
}

export class Http1Body implements RequestBody {
  readonly empty = false
  readonly bytesDeclared: number | null
  readonly #source: BodySource
  readonly #expects: RequestHead['expects']
  #sink: BodySink | null = null
  #state: 'unread' | 'reading' | 'dropped' = 'unread'
  #came: 'some' | 'all' = 'some'
  /** Came before anybody had asked for it; the connection holds what follows. */
  #first: Buffer | null = null
  #trailers: readonly string[] | null = null

  constructor(source: BodySource, bytesDeclared: number | null, expects: RequestHead['expects']) {
    this.#source = source
    this.bytesDeclared = bytesDeclared
    this.#expects = expects
  }

  /** What of it is still to come. */
  get rest(): 'none' | 'some' {
    return this.#came === 'all' ? 'none' : 'some'
  }

  /** Nobody has asked for it: a client that waits for 100 Continue has not sent it. */
  get withheld(): 'no' | 'yes' {
    const waits = this.#state === 'unread' && this.#first === null
    return waits && this.#expects === 'continue' ? 'yes' : 'no'
  }

  /** Whether the client is being waited for. */
  get wanted(): 'no' | 'yes' {
    return this.#state === 'unread' ? 'no' : 'yes'
  }

  start(sink: BodySink): void {
    if (this.#state !== 'unread') throw new Error('a body is read once')
    this.#state = 'reading'
    this.#sink = sink
    if (this.#first === null && this.#came === 'some') {
      if (this.#expects === 'continue') this.#source.sendContinue()
      return this.#source.readOn()
    }
    this.#source.guard(() => this.#handOver(sink))
  }

  #handOver(sink: BodySink): void {
    const first = this.#first
    this.#first = null
    const pace = first === null ? 'more' : sink.data(first)
    if (this.#came === 'all') sink.end(this.#trailers)
    else if (pace === 'more') this.#source.readOn()
  }

  resume(): void {
    if (this.#state === 'reading') this.#source.readOn()
  }

  // ---- what the connection has read ----------------------------------------------------------

  data(piece: Buffer): 'more' | 'pause' {
    if (this.#state === 'reading' && this.#sink !== null) return this.#sink.data(piece)
    if (this.#state === 'dropped') return 'more'
    this.#first = piece
    return 'pause'
  }

  end(trailers: readonly string[] | null): void {
    this.#came = 'all'
    this.#trailers = trailers
    if (this.#state === 'reading') this.#sink?.end(trailers)
  }

  /** Nobody will ask for it any more: what is left of it is read past. */
  drop(): void {
    if (this.#state === 'unread') this.#state = 'dropped'
    this.#first = null
  }

  /** The rest will not come. */
  abort(): void {
    if (this.#came === 'all') return
    const sink = this.#sink
    this.#came = 'all'
    this.#sink = null
    sink?.abort()
  }
}
