/**
 * One client's connection over HTTP/1, plain or TLS: bytes come in, requests are served one at a
 * time and in their order, and nothing is read while one waits. It ends by FIN, and what still comes
 * is read and dropped for a while: closing at once would reset the connection, and the client could
 * lose the answer that it has not read yet.
 * Pinned by http1-body.test.ts: "a refused upload still gets its answer".
 */
import type { Socket } from 'node:net'
import type { ParseFailure } from '../http1/failure.ts'
import type { Head, MessageReader } from '../http1/message.ts'
import { Parser } from '../http1/parse.ts'
import type { Deadlines } from '../upstream/deadlines.ts'
import { type Client, peerAddress } from './forwarded.ts'
import { type LastHost, readHost } from './host.ts'
import type { ClientTunnel } from './client-tunnel.ts'
import type { Http1Answer } from './http1-answer.ts'
import type { BodySource, Http1Body } from './http1-body.ts'
import type { Arrival } from './misdirected.ts'

/** RFC 9112 section 9.6: long enough for the answer to cross the world. */
const LINGER_MS = 1_000

/** What a connection asks of the worker that it runs in. */
export interface ConnectionOwner {
  readonly now: () => number
  readonly deadlines: Deadlines
  bug(error: unknown): void
}

export interface ConnectionBounds {
  /** For a whole head; also for the first byte of a new connection. */
  readonly headMs: number
  /** Between two pieces of a body that somebody reads. */
  readonly bodyIdleMs: number
  /** Between two requests. */
  readonly idleMs: number
  /** How long a client may take nothing of an answer that waits for it. */
  readonly stalledMs: number
  readonly requestsMax: number
}

/** What a connection asks of the front that it belongs to. */
export interface ConnectionFront {
  readonly bounds: ConnectionBounds
  /** Monotonic; as old as the last sweep. */
  readonly sweptMs: number
  dateLine(): string
  /** Makes an exchange of it, and calls `began`. Never throws. */
  request(connection: Connection, head: Head): void
  /** What cannot be read gets an answer and a record, and nothing after it is read. */
  refuse(connection: Connection, why: ParseFailure | 'too-slow'): void
}

export class Connection implements BodySource {
  readonly socket: Socket
  readonly arrival: Arrival
  readonly peer: string
  /** Who the client is, as far as the connection says. */
  readonly direct: Client
  /**
   * last: the next answer says `Connection: close`, unless another request is already here.
   * closing: the client has been told so, and nothing that follows is read as a request.
   */
  mode: 'open' | 'last' | 'closing' = 'open'
  /** The Host line that came last, and what it was read as: it is mostly the same. */
  readonly lastHost: LastHost = { value: '', read: readHost('') }
  readonly parser: Parser
  readonly #owner: ConnectionOwner
  readonly #front: ConnectionFront
  /** Of the request that was read last, until all of both is through. */
  #answer: Http1Answer | null = null
  #body: Http1Body | null = null
  /** After a switch of protocols nothing is read here any more. */
  #tunnel: ClientTunnel | null = null
  /** What was received and not yet read. */
  #rest: Buffer | null = null
  #at = 0
  /** Within `parser.read`: whoever wants to read on gets its turn after it. */
  #reading: 'no' | 'yes' = 'no'
  #pace: 'more' | 'pause' = 'more'
  #requests = 0
  /** Since when the client owes us a request, the rest of a head, or more of a body. */
  #sinceMs: number
  #held: 'no' | 'yes' = 'no'
  #ended: 'no' | 'yes' = 'no'

  constructor(socket: Socket, arrival: Arrival, owner: ConnectionOwner, front: ConnectionFront) {
    this.socket = socket
    this.peer = peerAddress(socket.remoteAddress)
    this.arrival = arrival
    this.direct = { ip: this.peer, scheme: arrival.scheme }
    this.#owner = owner
    this.#front = front
    this.#sinceMs = owner.now()
    this.parser = new Parser('request', this.#reader())
    socket.on('data', (bytes: Buffer) => this.#received(bytes))
    socket.on('end', () => this.#clientEnded())
    socket.on('drain', () => this.#drained())
    socket.on('timeout', () => this.destroy())
    socket.on('error', ignore)
    socket.on('close', () => this.#closed())
  }

  get state(): 'idle' | 'busy' {
    return this.#answer === null ? 'idle' : 'busy'
  }

  get bytesRead(): number {
    return this.socket.bytesRead
  }

  /** What waits for the client to take it. */
  get backlog(): 'none' | 'some' | 'full' {
    if (this.socket.writableNeedDrain) return 'full'
    return this.socket.writableLength === 0 ? 'none' : 'some'
  }

  /** Whether the answer that is about to begin is the last one here. */
  get isLast(): 'no' | 'yes' {
    if (this.mode === 'closing' || this.#requests >= this.#front.bounds.requestsMax) return 'yes'
    return this.mode === 'open' || this.hasMore() === 'yes' ? 'no' : 'yes'
  }

  /** Whether anything has come after the request. */
  hasMore(): 'no' | 'yes' {
    return this.#rest !== null && this.#isMore(this.#rest) ? 'yes' : 'no'
  }

  #isMore(rest: Buffer): boolean {
    const at = this.#reading === 'yes' ? this.parser.headEnd : this.#at
    const body = this.#body
    if (body === null || body.rest === 'none') return at < rest.length
    return body.bytesDeclared !== null && at + body.bytesDeclared < rest.length
  }

  // ---- bytes come in -------------------------------------------------------------------------

  #received(bytes: Buffer): void {
    if (this.#ended === 'yes') return
    const tunnel = this.#tunnel
    if (tunnel !== null) return this.guard(() => tunnel.received(bytes))
    if (this.parser.state === 'body') this.#sinceMs = this.#front.sweptMs
    this.#at = this.#rest === null ? 0 : this.#at
    this.#rest = this.#rest === null ? bytes : Buffer.concat([this.#rest, bytes])
    this.#readAll()
  }

  readOn(): void {
    if (this.#pace === 'pause') this.#sinceMs = this.#front.sweptMs
    this.#pace = 'more'
    this.#readAll()
  }

  /** All that can be read now. Called again whenever something ends that reading waited for. */
  #readAll(): void {
    if (this.#reading === 'yes') return
    this.#reading = 'yes'
    this.guard(() => {
      while (this.#readSome() === 'goes on');
    })
    this.#reading = 'no'
    if (this.#ended === 'yes') return
    // A client that leaves is noticed as long as its bytes are taken.
    if (this.#rest !== null || this.#pace === 'pause') this.socket.pause()
    else if (this.socket.isPaused()) this.socket.resume()
  }

  #readSome(): 'goes on' | 'waits' {
    const { parser } = this
    if (parser.state === 'ended' && this.#next() === 'waits') return 'waits'
    const rest = this.#rest
    if (rest === null || this.#pace === 'pause' || this.#ended === 'yes') return 'waits'
    const before = parser.state
    this.#at = parser.read(rest, this.#at)
    if (this.#at >= rest.length) this.#rest = null
    if (parser.state === 'failed') return this.#failed()
    if (parser.state === 'head' && before === 'idle') this.#sinceMs = this.#owner.now()
    return 'goes on'
  }

  /** One exchange is through: the next request may be read. */
  #next(): 'goes on' | 'waits' {
    if (this.mode === 'closing' || this.#answer?.over === 'no') return 'waits'
    // Answers that nobody takes must not pile up.
    if (this.backlog === 'full') return 'waits'
    this.#answer = null
    this.#body = null
    this.#sinceMs = this.#front.sweptMs
    this.parser.nextRequest()
    return 'goes on'
  }

  /** A body that cannot be read breaks its exchange; there is nobody left to say it to. */
  #failed(): 'waits' {
    const { failure } = this.parser
    if (this.#answer?.over === 'yes') this.end()
    else if (this.#answer !== null || failure === null) this.destroy()
    else this.#front.refuse(this, failure)
    return 'waits'
  }

  #reader(): MessageReader {
    return {
      head: (head) => {
        this.#requests++
        this.#front.request(this, head)
      },
      interim: () => undefined, // of answers alone
      data: (piece) => {
        this.#pace = this.#body?.data(piece) ?? 'more'
        return this.#pace
      },
      end: (trailers) => this.#body?.end(trailers),
    }
  }

  // ---- its exchange --------------------------------------------------------------------------

  /** Before the exchange is served. */
  began(answer: Http1Answer, body: Http1Body | null): void {
    this.#answer = answer
    this.#body = body
  }

  /** The answer has said so. */
  switched(tunnel: ClientTunnel): void {
    this.#tunnel = tunnel
    this.parser.stop()
    this.socket.resume()
  }

  dateLine(): string {
    return this.#front.dateLine()
  }

  sendContinue(): void {
    if (this.#answer?.started === false) this.write('HTTP/1.1 100 Continue\r\n\r\n', null, '')
  }

  /** Text, then bytes, then text: one write of the socket where there are no bytes. */
  write(text: string, bytes: Buffer | null, after: string): void {
    const { socket } = this
    if (this.#ended === 'yes' || socket.destroyed) return
    if (bytes === null) {
      socket.write(text, 'latin1')
    } else {
      socket.cork()
      if (text !== '') socket.write(text, 'latin1')
      socket.write(bytes)
      if (after !== '') socket.write(after, 'latin1')
      socket.uncork()
    }
    if (socket.writableNeedDrain) this.#hold()
  }

  /** The answer that is being written says `Connection: close`. */
  closing(): void {
    this.mode = 'closing'
  }

  /** All of the answer is written. */
  answered(then: 'keep' | 'close'): void {
    if (then === 'close') return this.end()
    this.#body?.drop()
    this.readOn()
  }

  #drained(): void {
    if (this.#held === 'yes') this.socket.setTimeout(0)
    this.#held = 'no'
    const answer = this.#answer
    if (answer !== null) this.guard(() => answer.drained())
    this.#readAll()
  }

  /** What was written waits for the client: whoever never takes it must not hold a backend. */
  #hold(): void {
    if (this.#held === 'yes') return
    this.#held = 'yes'
    // It counts what leaves as well as what comes.
    this.socket.setTimeout(this.#front.bounds.stalledMs)
  }

  // ---- how it ends ---------------------------------------------------------------------------

  /** From time to time: whether the client has let us wait for too long. */
  sweep(nowMs: number): void {
    if (this.#ended === 'yes') return
    const waitedMs = nowMs - this.#sinceMs
    const { headMs, idleMs, bodyIdleMs } = this.#front.bounds
    if (this.#answer !== null) {
      if (this.#wantsBody() && waitedMs > bodyIdleMs) this.destroy()
    } else if (this.parser.state === 'head') {
      if (waitedMs > headMs) this.#front.refuse(this, 'too-slow')
    } else if (waitedMs > (this.#requests === 0 ? headMs : idleMs)) {
      this.end()
    }
  }

  #wantsBody(): boolean {
    return this.parser.state === 'body' && this.#pace === 'more' && this.#body?.wanted === 'yes'
  }

  /** A client that ends its side while it waits for an answer has left, as elsewhere. */
  #clientEnded(): void {
    const tunnel = this.#tunnel
    if (tunnel !== null && this.#ended === 'no') return this.guard(() => tunnel.ended())
    if (this.#answer?.over === 'no') this.destroy()
    else this.end()
  }

  /** After what was written. */
  end(): void {
    const { socket } = this
    if (this.#ended === 'yes' || socket.destroyed) return
    this.mode = 'closing'
    this.#ended = 'yes'
    this.#rest = null
    this.parser.stop()
    if (socket.writableLength > 0) this.#hold()
    socket.end(() => {
      const { now, deadlines } = this.#owner
      deadlines.add(now() + LINGER_MS, { expire: () => socket.destroy() })
    })
    socket.resume()
  }

  /** Nothing more is written, but what comes is still wanted. */
  endHalf(): void {
    if (this.socket.writableLength > 0) this.#hold()
    this.socket.end()
  }

  destroy(): void {
    this.socket.destroy()
  }

  #closed(): void {
    this.mode = 'closing'
    this.#ended = 'yes'
    this.parser.stop()
    const answer = this.#answer
    const body = this.#body
    this.#answer = null
    this.#body = null
    if (body !== null) this.guard(() => body.abort())
    if (answer?.over === 'no') this.guard(() => answer.gone())
  }

  /** Calls what belongs to an exchange: its mistakes must not end the worker unseen. */
  guard(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#owner.bug(error)
      this.destroy()
    }
  }
}

function ignore(): void {
  // `close` follows
}
