/**
 * One try of one request on one stream of HTTP/2: what `respond` reads is the stream itself, so that
 * what nobody reads waits in its window. Who gives up resets it with CANCEL, which no server takes
 * for the end of a request.
 * Pinned by http2-lane.test.ts: "a request that is given up is cancelled, never completed".
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { HEADERS_MAX } from '#wire/limits'
import { type Failure, fail } from '../request/failure.ts'
import { grpcType } from '../request/grpc.ts'
import type { AnswerSink, AnswerStream } from '../request/outcome.ts'
import { BodyAborted, BodyStream } from './body-stream.ts'
import { DETAILS } from './failures.ts'
import type { Attempt, AttemptEnd, AttemptEvents } from './lane.ts'
import { requestHead } from './request-head.ts'
import { readHead, readTrailers } from './response-head.ts'
import type { UpstreamRequest } from './upstream.ts'

/** A real server sends one or two; an endless row of them would only cost. */
const INTERIM_MAX = 16

const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM } = constants

type End = { readonly trailers: readonly string[] | null } | { readonly failure: Failure }

export class Http2Attempt implements Attempt, AnswerStream {
  turn: 'fresh' | 'reused' = 'fresh'
  bytesDeclared: number | null = null
  readonly #request: UpstreamRequest
  readonly #events: AttemptEvents
  readonly #body: BodyStream | null
  #stream: ClientHttp2Stream | null = null
  #stage: 'connecting' | 'waiting' | 'answering' = 'connecting'
  #over: 'no' | 'yes' = 'no'
  #interims = 0
  /** 205 says that nothing follows; what does follow is dropped. */
  #drops = false
  #trailers: readonly string[] | null = null
  #sink: AnswerSink | null = null
  #end: End | null = null

  constructor(request: UpstreamRequest, events: AttemptEvents) {
    const { body } = request
    this.#request = request
    this.#events = events
    this.#body =
      body !== null && !Buffer.isBuffer(body) && !body.empty ? new BodyStream(body) : null
  }

  get body(): 'unread' | 'consumed' {
    return this.#body?.consumed === 'yes' ? 'consumed' : 'unread'
  }

  get wanted(): 'yes' | 'no' {
    return this.#over === 'yes' ? 'no' : 'yes'
  }

  // ---- called by the connection, never within dispatch -----------------------------------------

  /** Null: the library refused it. */
  begin(session: ClientHttp2Session, turn: 'fresh' | 'reused'): ClientHttp2Stream | null {
    const { body } = this.#request
    this.turn = turn
    try {
      const endStream = this.#body === null && !Buffer.isBuffer(body)
      const waitForTrailers = this.#body !== null
      this.#stream = session.request(headOf(this.#request), { endStream, waitForTrailers })
    } catch {
      this.fail(fail('bug', DETAILS.bug))
      return null
    }
    this.#stage = 'waiting'
    const stream = this.#stream
    // Without a word about reading, node:http2 drops what arrives before anybody has asked for it.
    stream.pause()
    this.#listen(stream)
    this.#events.sent(this)
    if (Buffer.isBuffer(body)) stream.end(body)
    else this.#upload(stream)
    return stream
  }

  #listen(stream: ClientHttp2Stream): void {
    stream.on('headers', (_fields, _flags, raw) => this.#interim(raw))
    stream.on('response', (_fields, _flags, raw) => this.#answered(raw))
    stream.on('trailers', (_fields, _flags, raw) => {
      this.#trailers = readTrailers(withoutPseudo(raw))
    })
    // Trailers come with the last bytes or after them, in the same turn.
    stream.on('end', () => setImmediate(() => this.#ended()))
    stream.on('error', () => undefined)
    stream.on('close', () => this.#closed(stream.rstCode))
  }

  #upload(stream: ClientHttp2Stream): void {
    const body = this.#body
    if (body === null) return
    body.on('error', (error) => {
      stream.close(NGHTTP2_CANCEL)
      if (error instanceof BodyAborted) this.fail(fail('client-closed', DETAILS.client))
    })
    stream.on('wantTrailers', () => this.#sendTrailers(stream, body))
    body.pipe(stream)
  }

  /** They are a client's: what the library refuses must end this request alone. */
  #sendTrailers(stream: ClientHttp2Stream, body: BodyStream): void {
    try {
      stream.sendTrailers(trailersOf(body))
    } catch {
      stream.close(NGHTTP2_CANCEL)
      this.fail(fail('bug', DETAILS.bug))
    }
  }

  #interim(raw: readonly string[]): void {
    const status = statusOf(raw)
    if (status === 100 || status === 102) return
    this.#interims++
    if (this.#interims > INTERIM_MAX) return this.#invalid()
    this.#events.interim(this, status, withoutPseudo(raw))
  }

  #answered(raw: readonly string[]): void {
    if (this.#over === 'yes') return
    const status = statusOf(raw)
    const fields = withoutPseudo(raw)
    const head = readHead(this.#request.method, status, fields)
    if (head.kind === 'invalid' || fields.length > 2 * HEADERS_MAX) return this.#invalid()
    this.#stage = 'answering'
    this.#drops = status === 205
    this.bytesDeclared = head.bytesDeclared
    this.#events.answered(this, { status, headers: head.headers, stream: this })
  }

  #invalid(): void {
    this.#stream?.close(NGHTTP2_CANCEL)
    this.fail(fail('upstream-invalid', DETAILS.invalid))
  }

  #ended(): void {
    if (this.#over === 'yes') return
    if (this.#stage !== 'answering') return this.fail(fail('upstream-reset', DETAILS.reset))
    this.#isOver('complete')
    this.#finish({ trailers: this.#trailers })
    // What is left of the request is not wanted.
    if (this.#stream?.writableFinished === false) this.#stream.close(NGHTTP2_CANCEL)
    this.#body?.destroy()
  }

  #closed(code: number | undefined): void {
    // It may have ended as it should: then `end` has come, and tells so after this turn.
    if (this.#stream?.readableEnded === true && code === constants.NGHTTP2_NO_ERROR) return
    this.fail(this.#failureOf(code))
  }

  #failureOf(code: number | undefined): Failure {
    if (this.#stage === 'answering') return fail('upstream-reset', DETAILS.truncated)
    const reset = fail('upstream-reset', DETAILS.reset)
    // RFC 9113 section 8.7: it has not been processed.
    return code === NGHTTP2_REFUSED_STREAM ? { ...reset, retry: 'always' } : reset
  }

  fail(failure: Failure): void {
    if (this.#over === 'yes') return
    const { body } = this
    this.#isOver('broken')
    if (this.#stage === 'answering') this.#finish({ failure })
    else this.#events.failed(this, failure)
    // One that was never asked for goes with the next try.
    if (body === 'consumed') this.#body?.destroy()
  }

  #isOver(end: AttemptEnd): void {
    if (this.#over === 'yes') return
    this.#over = 'yes'
    this.#events.over(this, end)
  }

  // ---- AnswerStream ----------------------------------------------------------------------------

  start(sink: AnswerSink): void {
    this.#sink = sink
    if (this.#end !== null) return this.#finish(this.#end)
    const stream = this.#stream
    if (stream === null) return
    stream.on('data', (chunk: Buffer) => {
      if (!this.#drops && this.#sink?.data(chunk) === 'pause') stream.pause()
    })
    stream.resume()
  }

  resume(): void {
    this.#stream?.resume()
  }

  #finish(end: End): void {
    this.#end = end
    const sink = this.#sink
    if (sink === null) return
    this.#sink = null
    if ('trailers' in end) sink.end(end.trailers)
    else sink.fail(end.failure)
  }

  abort(): void {
    this.#isOver('aborted')
    this.#sink = null
    this.#drops = true
    this.#stream?.close(NGHTTP2_CANCEL)
    this.#stream?.resume()
    if (this.body === 'consumed') this.#body?.destroy()
  }
}

/** Without any, node:http2 sends an empty DATA frame in their place. */
function trailersOf({ trailers }: BodyStream): OutgoingHttpHeaders {
  const fields = trailers === null ? [] : (readTrailers(trailers) ?? [])
  // Clients choose the names: none may reach a member of Object.prototype.
  const named: Record<string, string[]> = Object.create(null)
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = (fields[i] ?? '').toLowerCase()
    named[name] = [...(named[name] ?? []), fields[i + 1] ?? '']
  }
  return named
}

/** The raw list of node:http2: pseudo-header fields first, all names in lower case. */
function headOf(request: UpstreamRequest): string[] {
  const { method, target, body } = request
  const [, host = '', ...fields] = requestHead(request)
  const list = [':method', method, ':scheme', 'http', ':authority', host, ':path', target]
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = (fields[i] ?? '').toLowerCase()
    if (name !== 'te') list.push(name, fields[i + 1] ?? '')
  }
  if (Buffer.isBuffer(body)) list.push('content-length', String(body.length))
  // Servers of gRPC ask for it, and what a client said of its own hop has been taken away.
  if (grpcType(request) !== null) list.push('te', 'trailers')
  return list
}

function statusOf(raw: readonly string[]): number {
  for (let i = 0; i + 1 < raw.length; i += 2) if (raw[i] === ':status') return Number(raw[i + 1])
  return 0
}

function withoutPseudo(raw: readonly string[]): string[] {
  const fields: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    if (name.charCodeAt(0) !== 0x3a) fields.push(name, raw[i + 1] ?? '')
  }
  return fields
}
