/**
 * One connection to a backend that speaks plain HTTP/1.1: it carries one attempt at a time, and a
 * next one only when the answer to the last was complete, asked for, and followed by nothing.
 * Pinned by lane-answers.test.ts: "what comes after an answer ends its connection".
 */
import { connect, type Socket } from 'node:net'
import type { Endpoint } from '#wire/session'
import type { Head, MessageReader } from '../http1/message.ts'
import { Parser } from '../http1/parse.ts'
import { type Failure, fail } from '../request/failure.ts'
import type { Deadline, Deadlines, Expiring } from './deadlines.ts'
import { DETAILS } from './failures.ts'
import type { AttemptCarrier, Http1Attempt } from './http1-attempt.ts'
import { Http1Tunnel } from './http1-tunnel.ts'
import type { AttemptEnd } from './lane.ts'
import { keepAliveOf, KEPT_MS, keptForMs } from './kept-for.ts'
import { refuseNames } from './endpoint.ts'
import { Upload, type UploadOwner } from './upload.ts'

/** Whose connection it is. */
export interface ConnectionHome {
  /** Milliseconds of process.hrtime. */
  readonly now: () => number
  readonly deadlines: Deadlines
  /** Of all connections of this thread: what was read is copied before the next read. */
  readonly readBuffer: Buffer
  /** It can carry another attempt. */
  free(connection: Http1Connection): void
  gone(connection: Http1Connection): void
}

export class Http1Connection implements AttemptCarrier, MessageReader, UploadOwner, Expiring {
  readonly #home: ConnectionHome
  readonly #socket: Socket
  readonly #parser = new Parser('response', this)
  #state: 'connecting' | 'open' | 'gone' = 'connecting'
  #attempt: Http1Attempt | null
  #served = 0
  // ---- the request
  #upload: Upload | null = null
  #request: 'sending' | 'sent' = 'sent'
  // ---- the answer
  #answer: 'none' | 'begun' | 'complete' = 'none'
  #persistence: Head['persistence'] = 'keep'
  #trailers: readonly string[] | null = null
  /** Read, but not to be given on before the client takes more. */
  #rest: Buffer | null = null
  #flow: 'flowing' | 'paused' = 'flowing'
  /** The protocol was switched: nothing is read here any more. */
  #switch: Head | null = null
  #tunnel: Http1Tunnel | null = null
  // ---- time
  /** When the other side last did something, or it became its turn. */
  #movedMs: number
  #keptMs = KEPT_MS
  #keepAlive = ''
  #watch: Deadline | null = null

  constructor(endpoint: Endpoint, home: ConnectionHome, first: Http1Attempt) {
    this.#home = home
    this.#movedMs = home.now()
    this.#attempt = first
    first.carrier = this
    this.#socket = connect({
      host: endpoint.address,
      port: endpoint.port,
      lookup: refuseNames,
      noDelay: true,
      // Its end is ours to answer: a request may still be on its way.
      allowHalfOpen: true,
      onread: { buffer: home.readBuffer, callback: (count) => this.#arrived(count) },
    })
    this.#socket.on('connect', () => this.#connected())
    this.#socket.on('drain', () => this.#drained())
    this.#socket.on('end', () => this.#ended())
    this.#socket.on('error', () => this.#lost())
    this.#socket.on('close', () => this.#lost())
    this.#watchTime()
  }

  // ---- the request -----------------------------------------------------------------------------

  #connected(): void {
    if (this.#state === 'gone') return
    this.#state = 'open'
    if (this.#attempt !== null) this.carry(this.#attempt)
  }

  /** Its last answer is complete, and nothing has come since. */
  carry(attempt: Http1Attempt): void {
    this.#attempt = attempt
    attempt.carrier = this
    attempt.turn = this.#served++ === 0 ? 'fresh' : 'reused'
    this.#answer = 'none'
    this.#request = 'sending'
    const { method, upgrade, body } = attempt.request
    const offer = upgrade === undefined || body !== null ? 'none' : 'offered'
    this.#parser.nextAnswer(method, offer)
    this.#write(attempt)
    this.#moved()
  }

  #write(attempt: Http1Attempt): void {
    const { body } = attempt.request
    const { stream } = attempt
    const socket = this.#socket
    if (stream === null && !Buffer.isBuffer(body)) {
      socket.write(attempt.text, 'latin1')
      this.#request = 'sent'
      return
    }
    attempt.body = 'consumed'
    // The head and what is already there of the body leave together.
    socket.cork()
    socket.write(attempt.text, 'latin1')
    if (stream !== null) {
      this.#upload = new Upload(stream, socket, this)
      this.#upload.start()
    } else if (Buffer.isBuffer(body)) {
      socket.write(body)
      this.#request = 'sent'
    }
    socket.uncork()
  }

  uploaded(): void {
    this.#request = 'sent'
    this.#moved()
  }

  uploadBroken(why: 'client' | 'length'): void {
    const attempt = this.#attempt
    const cause = why === 'client' ? 'client-closed' : 'bug'
    const failure = fail(cause, why === 'client' ? DETAILS.client : DETAILS.bug)
    // Not before whoever starts the body has returned.
    queueMicrotask(() => {
      if (attempt === this.#attempt) this.#break(failure)
    })
  }

  #drained(): void {
    if (this.#tunnel !== null) return this.#tunnel.drained()
    this.#moved()
    this.#upload?.drained()
  }

  // ---- the answer: called by the socket --------------------------------------------------------

  /** False: read no more. */
  #arrived(count: number): boolean {
    this.#movedMs = this.#home.now()
    const attempt = this.#attempt
    try {
      this.#read(this.#home.readBuffer.subarray(0, count))
    } catch {
      // Whoever listens has a bug, which concerns nobody else.
      const failure = fail('bug', DETAILS.bug)
      if (this.#tunnel !== null) this.#tunnel.failed(failure)
      else if (attempt === this.#attempt) this.#break(failure)
    }
    return (this.#tunnel?.flow ?? this.#flow) === 'flowing'
  }

  #read(piece: Buffer): void {
    if (this.#tunnel !== null) return this.#tunnel.arrived(Buffer.from(piece))
    const used = this.#parser.read(piece, 0)
    const rest = used === piece.length ? null : piece.subarray(used)
    switch (this.#parser.state) {
      case 'stopped':
        return
      case 'failed':
        return this.#break(fail('upstream-invalid', DETAILS.invalid))
      case 'ended':
        return this.#done(rest, piece.length < this.#home.readBuffer.length ? 'nothing' : 'more')
      default:
        // What was read into shared memory is somebody else's after this.
        if (rest !== null) this.#rest = Buffer.from(rest)
    }
  }

  /** The client takes more again: first what has been read already. */
  resume(): void {
    if (this.#flow === 'flowing') return
    this.#flow = 'flowing'
    const piece = this.#rest
    if (piece !== null) this.#readRest(piece)
    if (this.#state !== 'open' || this.#isPaused()) return
    this.#moved()
    this.#socket.resume()
  }

  #readRest(piece: Buffer): void {
    const used = this.#parser.read(piece, 0)
    this.#rest = used === piece.length ? null : piece.subarray(used)
    if (this.#parser.state === 'failed') this.#break(fail('upstream-invalid', DETAILS.invalid))
    else if (this.#parser.state === 'ended') this.#done(this.#rest, 'more')
  }

  #isPaused(): boolean {
    return this.#flow === 'paused'
  }

  #ended(): void {
    if (this.#tunnel !== null) return this.#tunnel.ended()
    if (this.#attempt === null) return this.#destroy()
    // RFC 9112 section 6.3, 8: only an answer without a length may end so.
    if (this.#parser.close() === 'complete' && this.#answer === 'complete') {
      this.#done(null, 'nothing')
    } else this.#lost()
  }

  #lost(): void {
    if (this.#state === 'gone') return
    if (this.#tunnel !== null) return this.#tunnel.lost()
    if (this.#state === 'connecting') return this.#break(fail('upstream-connect', DETAILS.connect))
    const isBegun = this.#answer === 'begun'
    // Part of a head has come: somebody has acted on the request.
    if (this.#parser.state !== 'idle' && this.#attempt !== null) this.#attempt.turn = 'fresh'
    this.#break(fail('upstream-reset', isBegun ? DETAILS.truncated : DETAILS.reset))
  }

  // ---- the answer: called by the parser --------------------------------------------------------

  head(head: Head): void {
    const attempt = this.#attempt
    if (attempt === null) return this.#destroy()
    if (head.status === 101) {
      this.#switch = head
      return
    }
    this.#persistence = head.persistence
    const keepAlive = keepAliveOf(head.fields)
    if (keepAlive !== this.#keepAlive) this.#keptMs = keptForMs(keepAlive)
    this.#keepAlive = keepAlive
    // Whoever refuses will not read the rest either.
    if (head.status >= 300) this.#upload?.stop()
    this.#answer = 'begun'
    if (attempt.head(head) === 'taken') return this.#watchTime()
    this.#answer = 'none'
    this.#break(fail('upstream-invalid', DETAILS.invalid))
  }

  interim(head: Head): void {
    this.#attempt?.interim(head)
  }

  data(piece: Buffer): 'more' | 'pause' {
    if (this.#attempt === null) return 'more'
    const pace = this.#attempt.data(this.#rest === null ? Buffer.from(piece) : piece)
    this.#flow = pace === 'more' ? 'flowing' : 'paused'
    return pace
  }

  end(trailers: readonly string[] | null): void {
    this.#answer = 'complete'
    this.#trailers = trailers
  }

  /**
   * The parser has come back from the end of the answer. `rest`: what nobody has asked for. `behind`:
   * whether more may lie in the kernel that was not yet looked at.
   */
  #done(rest: Buffer | null, behind: 'nothing' | 'more'): void {
    if (this.#switch !== null) return this.#tunnelled(this.#switch, rest)
    const attempt = this.#attempt
    const trailers = this.#trailers
    this.#attempt = null
    this.#trailers = null
    this.#rest = null
    this.#flow = 'flowing'
    const isKept = rest === null && this.#persistence === 'keep' && this.#keptMs > 0
    if (attempt === null || !isKept || this.#request !== 'sent') this.#destroy()
    else this.#release(behind)
    attempt?.complete(trailers)
  }

  /** What follows the head is the first of the tunnel. */
  #tunnelled(head: Head, rest: Buffer | null): void {
    const attempt = this.#attempt
    if (attempt === null) return this.#destroy()
    this.#answer = 'none'
    if (attempt.accepts(head) === 'no') {
      return this.#break(fail('upstream-invalid', DETAILS.invalid))
    }
    const { now, deadlines } = this.#home
    const { idleMs } = attempt.timeouts
    const over = (end: AttemptEnd): void => {
      attempt.tunnelOver(end)
      this.#destroy()
    }
    const first = rest === null ? null : Buffer.from(rest)
    this.#tunnel = new Http1Tunnel(this.#socket, first, { now, deadlines, idleMs, over })
    this.#watch?.cancel()
    this.#watch = null
    this.#attempt = null
    attempt.switched(head, this.#tunnel)
  }

  #release(behind: 'nothing' | 'more'): void {
    this.#upload = null
    this.#moved()
    if (behind === 'nothing') return this.#home.free(this)
    this.#socket.resume()
    // The loop looks at its sockets once between these two; whatever comes then is surplus.
    setImmediate(() =>
      setImmediate(() => {
        if (this.#state === 'open') this.#home.free(this)
      }),
    )
  }

  // ---- its end ---------------------------------------------------------------------------------

  giveUp(attempt: Http1Attempt): void {
    if (attempt === this.#attempt) this.#attempt = null
    this.#destroy()
  }

  /** Its attempt fails, or its answer breaks off. */
  #break(failure: Failure): void {
    const attempt = this.#attempt
    this.#attempt = null
    this.#destroy()
    if (this.#answer === 'none') attempt?.failed(failure)
    else attempt?.broken(failure)
  }

  /** Idle, and not needed any more. */
  close(): void {
    this.#destroy()
  }

  /** With everything that it carries. */
  cut(): void {
    this.#lost()
  }

  #destroy(): void {
    if (this.#state === 'gone') return
    this.#state = 'gone'
    this.#parser.stop()
    this.#watch?.cancel()
    this.#watch = null
    this.#upload?.stop()
    this.#upload = null
    this.#socket.destroy()
    this.#home.gone(this)
  }

  // ---- time ------------------------------------------------------------------------------------

  #moved(): void {
    this.#movedMs = this.#home.now()
    this.#watchTime()
  }

  /** When the other side is late. Infinity: it is not its turn. */
  #dueMs(): number {
    const attempt = this.#attempt
    if (attempt === null) return this.#movedMs + this.#keptMs
    const { connectMs, firstByteMs, idleMs } = attempt.timeouts
    if (this.#state === 'connecting') return this.#movedMs + connectMs
    if (this.#answer !== 'none') {
      return this.#flow === 'paused' ? Number.POSITIVE_INFINITY : this.#movedMs + idleMs
    }
    if (this.#request === 'sent') return this.#movedMs + Math.min(firstByteMs, idleMs)
    // Without anything to write it is the client's turn.
    return this.#socket.writableLength > 0 ? this.#movedMs + idleMs : Number.POSITIVE_INFINITY
  }

  /** One deadline for the connection's whole life: it looks again where it comes too early. */
  #watchTime(): void {
    if (this.#state === 'gone') return
    const dueMs = this.#dueMs()
    if (this.#watch !== null) {
      if (this.#watch.atMs <= dueMs) return
      this.#watch.cancel()
    }
    const lookMs = this.#home.now() + (this.#attempt?.timeouts.idleMs ?? this.#keptMs)
    this.#watch = this.#home.deadlines.add(Math.min(dueMs, lookMs), this)
  }

  expire(): void {
    this.#watch = null
    if (this.#dueMs() > this.#home.now()) return this.#watchTime()
    if (this.#attempt === null) return this.#destroy()
    if (this.#state === 'connecting') return this.#lost()
    const detail = this.#answer === 'none' ? DETAILS.timeout : DETAILS.stalled
    this.#break(fail('upstream-timeout', detail))
  }
}
