/**
 * One try of one request on our own HTTP/1.1 lane, and the stream of its answer. It waits for a
 * connection, is carried by it, and outlives it until the client has taken what had come.
 * Pinned by lane.test.ts: "an answer that nobody reads pauses its connection".
 */
import { type Failure, fail } from '../request/failure.ts'
import type { RequestBody } from '../request/exchange.ts'
import { headerValue } from '../request/headers.ts'
import type { AnswerSink, AnswerStream } from '../request/outcome.ts'
import type { Tunnel } from '../request/tunnel.ts'
import type { Head } from '../http1/message.ts'
import { DETAILS } from './failures.ts'
import type { Attempt, AttemptEnd, AttemptEvents } from './lane.ts'
import { readHead, readTrailers } from './response-head.ts'
import type { AttemptTimeouts } from './timeouts.ts'
import type { UpstreamRequest } from './upstream.ts'

/** What may arrive between the head and the sink's start, and in how many pieces. */
const EARLY_BYTES_MAX = 64 * 1024
const EARLY_PIECES_MAX = 16

/** What carries an attempt, or has it in its queue. */
export interface AttemptCarrier {
  /** The client takes more again. */
  resume(attempt: Http1Attempt): void
  giveUp(attempt: Http1Attempt): void
}

type End = { readonly trailers: readonly string[] | null } | { readonly failure: Failure }

export class Http1Attempt implements Attempt, AnswerStream {
  readonly request: UpstreamRequest
  /** Its head as it will be written. */
  readonly text: string
  turn: 'fresh' | 'reused' = 'fresh'
  body: 'unread' | 'consumed' = 'unread'
  bytesDeclared: number | null = null
  carrier: AttemptCarrier | null = null
  readonly #events: AttemptEvents
  #over: 'no' | 'yes' = 'no'
  // ---- the stream's side
  #sink: AnswerSink | null = null
  #early: Buffer[] | null = null
  #earlyBytes = 0
  #flow: 'flowing' | 'paused' = 'flowing'
  #drops: 'no' | 'yes' = 'no'
  #wanted: 'yes' | 'no' = 'yes'
  #end: End | null = null

  constructor(request: UpstreamRequest, text: string, events: AttemptEvents) {
    this.request = request
    this.text = text
    this.#events = events
  }

  get timeouts(): AttemptTimeouts {
    return this.request.delivery.timeouts
  }

  /** What is sent piece by piece after the head. */
  get stream(): RequestBody | null {
    const { body } = this.request
    return body === null || Buffer.isBuffer(body) || body.empty ? null : body
  }

  // ---- called by its connection ----------------------------------------------------------------

  interim({ status, fields }: Head): void {
    const head = readHead(this.request.method, 200, fields)
    if (head.kind === 'head') this.#events.interim(this, status, head.headers)
  }

  /** `refused`: two readers could take it for two messages. */
  head({ status, fields }: Head): 'taken' | 'refused' {
    const head = readHead(this.request.method, status, fields)
    if (head.kind === 'invalid') return 'refused'
    // RFC 9110 section 15.3.6: 205 says that nothing follows; what does follow is dropped.
    if (status === 205) this.#drops = 'yes'
    this.bytesDeclared = head.bytesDeclared
    this.#events.answered(this, { status, headers: head.headers, stream: this })
    return 'taken'
  }

  /** RFC 9110 section 15.2.2: only to a protocol that was offered. */
  accepts({ fields, upgrade }: Head): 'yes' | 'no' {
    const protocol = headerValue(fields, 'upgrade')
    if (upgrade === 'none' || protocol === null) return 'no'
    return isOffered(protocol, this.request.upgrade ?? '') ? 'yes' : 'no'
  }

  switched({ fields }: Head, tunnel: Tunnel): void {
    const head = readHead(this.request.method, 200, fields)
    const kept = head.kind === 'head' ? head.headers : []
    const headers = [...kept, 'upgrade', headerValue(fields, 'upgrade') ?? '']
    const giveUp = (): void => tunnel.abort(fail('client-closed', DETAILS.client))
    this.carrier = { resume: () => undefined, giveUp }
    this.#end = { trailers: null }
    this.#events.answered(this, { status: 101, headers, stream: this, tunnel })
  }

  /** The tunnel is. */
  tunnelOver(end: AttemptEnd): void {
    this.carrier = null
    this.#isOver(end)
  }

  /** `piece` is nobody else's. */
  data(piece: Buffer): 'more' | 'pause' {
    if (this.#drops === 'yes') return 'more'
    if (this.#sink === null || this.#flow === 'paused') return this.#keep(piece)
    if (this.#sink.data(piece) === 'more') return 'more'
    this.#flow = 'paused'
    return 'pause'
  }

  #keep(piece: Buffer): 'more' | 'pause' {
    this.#early ??= []
    this.#early.push(piece)
    this.#earlyBytes += piece.length
    const isMuch = this.#earlyBytes >= EARLY_BYTES_MAX || this.#early.length >= EARLY_PIECES_MAX
    return isMuch || this.#flow === 'paused' ? 'pause' : 'more'
  }

  complete(raw: readonly string[] | null): void {
    this.carrier = null
    this.#isOver('complete')
    this.#finish({ trailers: raw === null ? null : readTrailers(raw) })
  }

  /** Before its head: nothing of an answer has come that anybody could have seen. */
  failed(failure: Failure): void {
    this.carrier = null
    if (this.#over === 'yes') return
    this.#isOver('broken')
    this.#events.failed(this, failure)
  }

  broken(failure: Failure): void {
    this.carrier = null
    this.#isOver('broken')
    this.#finish({ failure })
  }

  #isOver(end: AttemptEnd): void {
    if (this.#over === 'yes') return
    this.#over = 'yes'
    this.#events.over(this, end)
  }

  // ---- AnswerStream ----------------------------------------------------------------------------

  start(sink: AnswerSink): void {
    if (this.#wanted === 'no') return
    this.#sink = sink
    this.#pour(sink)
  }

  resume(): void {
    if (this.#flow === 'flowing') return
    this.#flow = 'flowing'
    if (this.#sink !== null) this.#pour(this.#sink)
  }

  #pour(sink: AnswerSink): void {
    const early = this.#early ?? []
    while (this.#flow === 'flowing' && early.length > 0) {
      const piece = early.shift()
      if (piece === undefined) break
      this.#earlyBytes -= piece.length
      if (sink.data(piece) === 'pause') this.#flow = 'paused'
    }
    if (this.#flow === 'paused') return
    if (this.#end === null) this.carrier?.resume(this)
    else this.#finish(this.#end)
  }

  #finish(end: End): void {
    this.#end = end
    const sink = this.#sink
    // What the sink has not taken yet comes first; a failure need not wait for that.
    if (sink === null || ('trailers' in end && this.#earlyBytes > 0)) return
    this.#sink = null
    this.#early = null
    if ('trailers' in end) sink.end(end.trailers)
    else sink.fail(end.failure)
  }

  abort(): void {
    this.#sink = null
    this.#early = null
    this.#earlyBytes = 0
    this.#drops = 'yes'
    this.#wanted = 'no'
    this.#isOver('aborted')
    const { carrier } = this
    this.carrier = null
    carrier?.giveUp(this)
  }
}

/** Protocols are compared without case; versions belong to them. */
function isOffered(protocol: string, offered: string): boolean {
  const wanted = protocol.trim().toLowerCase()
  return offered.split(',').some((one) => one.trim().toLowerCase() === wanted)
}
