/**
 * The way back to the client on one stream of HTTP/2: `respond` fills it, `finish` ends it. An
 * answer that breaks off resets its stream and leaves the others of the connection alone.
 * Pinned by http2-answer.test.ts: "an answer that breaks off is a reset, never an end".
 */
import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { Answer } from '../request/exchange.ts'
import { Gathering } from '../request/pages.ts'
import type { TunnelSide } from '../request/tunnel.ts'

/** RFC 9113 section 8.2.2, and what node:http2 would throw over. */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'te',
])

const { NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR, NGHTTP2_CANCEL } = constants

export interface AnswerOwner {
  /** The stream has closed. */
  exchangeEnded(): void
  /** Calls what belongs to an exchange: its mistakes must not end the worker unseen. */
  guard(call: () => void): void
}

export class Http2Answer implements Answer {
  readonly #stream: ServerHttp2Stream
  readonly #owner: AnswerOwner
  /** How long a client may take nothing of an answer that waits for it. */
  readonly #stalledMs: number
  #state: 'fresh' | 'started' | 'ended' | 'gone' = 'fresh'
  /** Written with the first bytes of the body, or at the end of the turn. */
  #head: string[] | null = null
  /** Whether the stream waits for them after the last of its body. */
  #trailing: 'no' | 'yes' = 'no'
  #trailers: readonly string[] | null = null
  /** Of what comes while others wait for the client. */
  readonly #gathering = new Gathering((page) => {
    if (this.#stream.writable) this.#pace = this.#write(page)
  })
  #pace: 'more' | 'pause' = 'more'
  #held: 'no' | 'yes' = 'no'
  #drain: (() => void) | null = null
  #abort: (() => void) | null = null

  constructor(stream: ServerHttp2Stream, owner: AnswerOwner, stalledMs: number) {
    this.#stream = stream
    this.#owner = owner
    this.#stalledMs = stalledMs
    stream.on('close', () => this.#closed())
    stream.on('timeout', () => stream.close(NGHTTP2_CANCEL))
    stream.on('wantTrailers', () => this.#sendTrailers())
  }

  get started(): boolean {
    return this.#state !== 'fresh'
  }

  interim(status: number, headers: readonly string[]): void {
    if (this.#state !== 'fresh' || this.#stream.closed) return
    this.#stream.additionalHeaders({ ...fieldsOf(headers), ':status': status })
  }

  head(status: number, headers: readonly string[]): void {
    if (this.#state !== 'fresh') return
    this.#state = 'started'
    this.#head = framed(status, headers)
    process.nextTick(() => this.#owner.guard(() => this.#sendHead('open')))
  }

  /** whole: the last chunk is here; last: nothing follows, the head has END_STREAM. */
  #sendHead(end: 'open' | 'whole' | 'last'): void {
    const head = this.#head
    if (head === null) return
    this.#head = null
    if (this.#stream.closed || this.#stream.destroyed) return
    if (end === 'last') return this.#stream.respond(head, { endStream: true })
    this.#trailing = end === 'whole' || !mayHaveTrailers(head) ? 'no' : 'yes'
    this.#stream.respond(head, { waitForTrailers: this.#trailing === 'yes' })
  }

  /** RFC 8441 section 5: 200 says here what 101 says over HTTP/1.1. */
  openTunnel(headers: readonly string[], backend: TunnelSide): TunnelSide | null {
    const stream = this.#stream
    if (this.#state !== 'fresh' || stream.closed || stream.readableLength > 0) return null
    this.#state = 'started'
    stream.respond(framed(200, headers))
    stream.on('data', (chunk: Buffer) =>
      this.#owner.guard(() => {
        if (backend.data(chunk) === 'pause') stream.pause()
      }),
    )
    // A reset ends the readable side too: then `close` follows.
    stream.on('end', () => {
      if (!stream.closed) this.#owner.guard(() => backend.end())
    })
    return {
      data: (chunk) => this.#write(chunk),
      end: () => this.#endHalf(),
      resume: () => void stream.resume(),
      abort: () => this.destroy(),
    }
  }

  #endHalf(): void {
    this.#stream.end()
    if (this.#stream.writableLength > 0) this.#hold()
  }

  data(chunk: Buffer): 'more' | 'pause' {
    if (this.#state !== 'started') return 'more'
    this.#sendHead('open')
    if (this.#gathering.bytes === 0 && this.#stream.writableLength === 0) {
      return this.#write(chunk)
    }
    this.#pace = 'more'
    this.#gathering.add(chunk)
    return this.#pace
  }

  #write(chunk: Buffer): 'more' | 'pause' {
    if (!this.#stream.writable || this.#stream.write(chunk)) return 'more'
    this.#hold()
    this.#stream.once('drain', () => {
      this.#flow()
      this.#drain?.()
    })
    return 'pause'
  }

  #hold(): void {
    if (this.#held === 'yes') return
    this.#held = 'yes'
    this.#stream.setTimeout(this.#stalledMs)
  }

  #flow(): void {
    if (this.#held === 'no') return
    this.#held = 'no'
    this.#stream.setTimeout(0)
  }

  end(chunk: Buffer | null, trailers: readonly string[] | null): void {
    if (this.#state !== 'started') return
    this.#state = 'ended'
    this.#abort = null
    const stream = this.#stream
    this.#trailers = trailers
    if (trailers !== null) this.#sendHead('open')
    else this.#sendHead(chunk === null ? 'last' : 'whole')
    this.#gathering.flush()
    if (stream.closed || stream.destroyed) return
    if (this.#trailing === 'no') stream.once('finish', () => this.#leaveRest())
    if (!stream.writableEnded) {
      if (chunk === null) stream.end()
      else stream.end(chunk)
    }
    if (stream.writableLength > 0) this.#hold()
  }

  #sendTrailers(): void {
    this.#stream.sendTrailers(fieldsOf(this.#trailers ?? []))
    // They must be on their way before the stream may be reset.
    setImmediate(() => this.#leaveRest())
  }

  /** RFC 9113 section 8.1: the answer is whole, what is left of the request is not wanted. */
  #leaveRest(): void {
    const stream = this.#stream
    if (stream.endAfterHeaders || stream.readableEnded || stream.closed) return
    stream.close(NGHTTP2_NO_ERROR)
  }

  destroy(): void {
    this.#abort = null
    this.#head = null
    if (this.#state === 'fresh' || this.#state === 'started') this.#state = 'ended'
    this.#stream.close(NGHTTP2_INTERNAL_ERROR)
  }

  onDrain(listener: () => void): void {
    this.#drain = listener
  }

  onAbort(listener: () => void): void {
    this.#abort = listener
    if (this.#state === 'gone') this.#aborted()
  }

  #closed(): void {
    const ended = this.#state === 'ended'
    this.#state = 'gone'
    this.#owner.exchangeEnded()
    if (!ended) this.#aborted()
  }

  #aborted(): void {
    const abort = this.#abort
    this.#abort = null
    if (abort !== null) this.#owner.guard(abort)
  }
}

/** The raw list of node:http2: lower-case names, no field of a connection. */
function framed(status: number, headers: readonly string[]): string[] {
  const list: string[] = [':status', String(status)]
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] ?? '').toLowerCase()
    if (!CONNECTION_FIELDS.has(name)) list.push(name, headers[i + 1] ?? '')
  }
  return list
}

/** Fields after a body of known length come from no upstream that speaks HTTP/1. */
function mayHaveTrailers(head: readonly string[]): boolean {
  for (let i = 2; i < head.length; i += 2) if (head[i] === 'content-length') return false
  return true
}

function fieldsOf(flat: readonly string[]): OutgoingHttpHeaders {
  const fields: Record<string, string[]> = Object.create(null)
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = (flat[i] ?? '').toLowerCase()
    if (CONNECTION_FIELDS.has(name) || name === 'trailer') continue
    const values = fields[name]
    if (values === undefined) fields[name] = [flat[i + 1] ?? '']
    else values.push(flat[i + 1] ?? '')
  }
  return fields
}
