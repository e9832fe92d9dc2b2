/**
 * One client's connection: how many exchanges it carries, and how it ends. It ends by FIN, and what
 * still comes is read and dropped for a while: closing at once would reset the connection, and the
 * client could lose the answer that it has not read yet.
 * Pinned by node-body.test.ts: "a refused upload still gets its answer".
 */
import type { Socket } from 'node:net'
import type { Deadlines } from '../upstream/deadlines.ts'
import { type Client, peerAddress } from './forwarded.ts'
import { type LastHost, readHost } from './host.ts'

/** RFC 9112 section 9.6: long enough for the answer to cross the world. */
const LINGER_MS = 1_000

/** What a connection asks of the front that it belongs to. */
export interface ConnectionOwner {
  readonly now: () => number
  readonly deadlines: Deadlines
  bug(error: unknown): void
}

export class Connection {
  readonly socket: Socket
  readonly peer: string
  /** Who the client is, as far as the connection says. */
  readonly direct: Client
  /**
   * last: the next answer says `Connection: close`, unless another request is already here.
   * broken: what follows cannot be parsed; what has begun is answered, then that is said.
   * closing: the client has been told so, and nothing that follows is read as a request.
   */
  mode: 'open' | 'last' | 'broken' | 'closing' = 'open'
  /** The Host line that came last, and what it was read as: it is mostly the same. */
  readonly lastHost: LastHost = { value: '', read: readHost('') }
  /** Of the request that came last; null: it has none. */
  body: { readonly rest: 'none' | 'some' } | null = null
  readonly #owner: ConnectionOwner
  #exchanges = 0
  /** Requests that came before the one that runs was answered. */
  #waiting: (() => void)[] = []
  #idleSinceMs: number
  #whenIdle: (() => void) | null = null
  /** Bytes that had come when the last exchange ended. */
  #bytesBefore = 0
  readonly #stalledMs: number
  #held: 'no' | 'yes' = 'no'

  /** `stalledMs`: how long a client may take nothing of an answer that waits for it. */
  constructor(socket: Socket, owner: ConnectionOwner, stalledMs: number) {
    this.socket = socket
    this.#stalledMs = stalledMs
    this.peer = peerAddress(socket.remoteAddress)
    this.direct = { ip: this.peer, scheme: 'http' }
    this.#owner = owner
    this.#idleSinceMs = owner.now()
  }

  get bytesRead(): number {
    return this.socket.bytesRead
  }

  get state(): 'idle' | 'busy' {
    return this.#exchanges === 0 ? 'idle' : 'busy'
  }

  /** Infinity while an exchange runs. */
  get idleSinceMs(): number {
    return this.#exchanges === 0 ? this.#idleSinceMs : Number.POSITIVE_INFINITY
  }

  /** Whether what comes is read as requests. */
  get reads(): boolean {
    return this.mode === 'open' || this.mode === 'last'
  }

  /** What could not be parsed: nothing, a body, or a request of which no exchange knows. */
  get unread(): 'nothing' | 'body' | 'request' {
    if (this.#exchanges > 0) return this.body?.rest === 'some' ? 'body' : 'request'
    return this.socket.bytesRead > this.#bytesBefore ? 'request' : 'nothing'
  }

  /** Whether the answer that is about to begin is the last one here. */
  get isLast(): 'no' | 'yes' {
    if (this.mode === 'closing') return 'yes'
    if (this.mode !== 'last' || this.#waiting.length > 0) return 'no'
    return this.#exchanges <= 1 ? 'yes' : 'no'
  }

  /**
   * One request at a time, in their order: a client that sends thousands at once keeps one backend
   * busy, and the answer that ends a connection is the last one. Nothing is read while one waits.
   */
  whenItsTurn(start: () => void): void {
    if (this.#exchanges === 0) return start()
    this.#waiting.push(start)
    // node:http reads on after each request of a piece; after the whole piece it can be stopped.
    process.nextTick(() => {
      if (this.#waiting.length > 0) this.socket.pause()
    })
  }

  exchangeStarted(): void {
    this.#exchanges++
  }

  exchangeEnded(): void {
    this.#exchanges--
    if (this.#exchanges > 0) return
    const next = this.#waiting.shift()
    if (next === undefined) return this.#rests()
    if (this.mode === 'closing' || this.socket.destroyed) {
      this.#waiting = []
      return this.#rests()
    }
    if (this.#waiting.length === 0 && this.reads) this.socket.resume()
    this.guard(next)
  }

  #rests(): void {
    this.#idleSinceMs = this.#owner.now()
    this.#bytesBefore = this.socket.bytesRead
    const then = this.#whenIdle
    this.#whenIdle = null
    then?.()
  }

  /** What was written waits for the client: whoever never takes it must not hold a backend. */
  hold(): void {
    if (this.#held === 'yes') return
    this.#held = 'yes'
    // It counts what leaves as well as what comes, and node:http destroys the socket when it ends.
    this.socket.setTimeout(this.#stalledMs)
  }

  /** It flows again. */
  flow(): void {
    if (this.#held === 'no') return
    this.#held = 'no'
    this.socket.setTimeout(0)
  }

  /** At once where nothing runs; one listener. */
  whenIdle(then: () => void): void {
    if (this.#exchanges === 0) then()
    else this.#whenIdle = then
  }

  /** The answer that is being written says `Connection: close`. */
  closing(): void {
    if (this.mode === 'closing') return
    this.mode = 'closing'
    // node:http calls this after the last answer; its own would destroy what is still coming.
    this.socket.destroySoon = () => this.end()
  }

  end(): void {
    this.mode = 'closing'
    const { socket } = this
    if (socket.destroyed) return
    socket.end()
    socket.resume()
    this.#owner.deadlines.add(this.#owner.now() + LINGER_MS, { expire: () => socket.destroy() })
  }

  destroy(): void {
    this.socket.destroy()
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
