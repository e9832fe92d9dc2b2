/**
 * One client's connection over HTTP/2: how many exchanges it carries, what it has cost beside them,
 * and how it ends: by GOAWAY with the last stream that is served, so that a client may send what
 * came after it elsewhere. Floods end the connection, never the process.
 * Pinned by http2-connection.test.ts: "every flood ends its own connection and nothing else".
 */
import { constants, type ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { peerAddress, type Client } from './forwarded.ts'
import { Allowance } from './allowance.ts'
import { type LastHost, readHost } from './host.ts'
import {
  PINGS_BURST,
  PINGS_PER_SECOND,
  RESETS_BURST,
  RESETS_PER_SECOND,
  SETTINGS_BURST,
  SETTINGS_PER_SECOND,
} from './http2-limits.ts'
import type { Arrival } from './misdirected.ts'
import type { ConnectionOwner } from './connection.ts'

/** Long enough for the last answer to cross the world. */
const LINGER_MS = 1_000

const PINGS = { burst: PINGS_BURST, perSecond: PINGS_PER_SECOND }
const SETTINGS = { burst: SETTINGS_BURST, perSecond: SETTINGS_PER_SECOND }
const BROKEN_STREAMS = { burst: RESETS_BURST, perSecond: RESETS_PER_SECOND }

export class Http2Connection {
  readonly session: ServerHttp2Session
  readonly arrival: Arrival
  readonly peer: string
  /** Who the client is, as far as the connection says. */
  readonly direct: Client
  /** closing: the client has been told which stream was the last one. */
  mode: 'open' | 'last' | 'closing' = 'open'
  readonly lastHost: LastHost = { value: '', read: readHost('') }
  readonly #socket: Socket
  readonly #owner: ConnectionOwner
  #exchanges = 0
  #idleSinceMs: number
  readonly #pings: Allowance
  readonly #settings: Allowance
  readonly #broken: Allowance

  constructor(
    session: ServerHttp2Session,
    socket: Socket,
    arrival: Arrival,
    owner: ConnectionOwner,
  ) {
    this.session = session
    this.#socket = socket
    this.peer = peerAddress(socket.remoteAddress)
    this.arrival = arrival
    this.direct = { ip: this.peer, scheme: arrival.scheme }
    this.#owner = owner
    const now = owner.now()
    this.#idleSinceMs = now
    this.#pings = new Allowance(PINGS, now)
    this.#settings = new Allowance(SETTINGS, now)
    this.#broken = new Allowance(BROKEN_STREAMS, now)
    session.on('ping', () => this.#spend(this.#pings))
    session.on('remoteSettings', () => this.#spend(this.#settings))
    // Whatever it is, `close` follows for the session and for each of its streams.
    session.on('error', () => undefined)
  }

  get bytesRead(): number {
    return this.#socket.bytesRead
  }

  get state(): 'idle' | 'busy' {
    return this.#exchanges === 0 ? 'idle' : 'busy'
  }

  /** Infinity while an exchange runs. */
  get idleSinceMs(): number {
    return this.#exchanges === 0 ? this.#idleSinceMs : Number.POSITIVE_INFINITY
  }

  exchangeStarted(): void {
    this.#exchanges++
  }

  exchangeEnded(): void {
    this.#exchanges--
    if (this.#exchanges > 0) return
    this.#idleSinceMs = this.#owner.now()
    if (this.mode === 'closing') this.#linger()
  }

  /** A stream has closed without having been answered in full. */
  streamBroke(): void {
    this.#spend(this.#broken)
  }

  #spend(allowance: Allowance): void {
    if (allowance.take(this.#owner.now()) === 'left' || this.session.destroyed) return
    this.mode = 'closing'
    this.session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM)
  }

  /** Tells the client; what runs goes on, and the connection ends with it. */
  end(): void {
    this.mode = 'closing'
    if (!this.session.closed && !this.session.destroyed) this.session.close()
    if (this.#exchanges === 0) this.#linger()
  }

  /** Whoever has read that it is over closes; nobody waits long for it. */
  #linger(): void {
    const { now, deadlines } = this.#owner
    deadlines.add(now() + LINGER_MS, { expire: () => this.destroy() })
  }

  destroy(): void {
    this.mode = 'closing'
    this.session.destroy()
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
