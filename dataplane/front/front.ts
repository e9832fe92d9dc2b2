/**
 * All that a worker listens on: each connection goes, after a look at its first bytes, to HTTP/1 or
 * HTTP/2. What both share stands here: accepting, the number of connections, idling, draining.
 * Pinned by front.test.ts: "one port speaks HTTP/1 and HTTP/2 with prior knowledge".
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { TlsHost } from '../runtime/tls-hosts.ts'
import { CLIENT_HELLO_BYTES_MAX, readClientHello } from './client-hello.ts'
import { type Look, lookAtFirst, lookForPreface, PREFACE_BYTES } from './first-bytes.ts'
import {
  BOUNDS,
  type FrontBounds,
  type FrontOwner,
  Http1Front,
  IDLE_MS,
  type ListenOptions,
} from './http1.ts'
import { Http2Front } from './http2.ts'
import type { DrainedConnection } from './drain.ts'
import { Places } from './places.ts'
import { type Arrival, PLAIN } from './misdirected.ts'
import { TlsFront, type TlsOwner, type TlsSettings } from './tls.ts'

const IDLE_SWEEP_EVERY_MS = 5_000

export class Front implements TlsOwner {
  readonly #owner: FrontOwner
  readonly #bounds: FrontBounds
  readonly #http1: Http1Front
  readonly #http2: Http2Front
  readonly #listeners: Server[] = []
  /** That have said nothing yet. */
  readonly #mute = new Set<MuteConnection>()
  readonly #places: Places
  /** With TLS, from the first message to the end. */
  readonly #shaking = new Set<Socket>()
  readonly #tls: TlsFront[] = []
  readonly #sweep: NodeJS.Timeout
  #lastAcceptMs: number

  constructor(owner: FrontOwner, bounds: FrontBounds = BOUNDS) {
    this.#owner = owner
    this.#bounds = bounds
    this.#http1 = new Http1Front(owner, bounds)
    this.#http2 = new Http2Front(owner, bounds.stalledMs)
    this.#lastAcceptMs = owner.now()
    this.#places = new Places(bounds, () => owner.trustedProxies())
    this.#sweep = setInterval(() => this.#http2.endIdle(owner.now() - IDLE_MS), IDLE_SWEEP_EVERY_MS)
    this.#sweep.unref()
  }

  listen(options: ListenOptions): Promise<AddressInfo> {
    return this.#listen(options, (socket) => {
      this.#lookAt(socket, lookForPreface, PREFACE_BYTES, (spoken) => {
        if (spoken === 'h2') this.#http2.accept(socket, PLAIN)
        else this.#http1.accept(socket, PLAIN)
      })
    })
  }

  listenTls(options: ListenOptions, settings: TlsSettings): Promise<AddressInfo> {
    const tls = new TlsFront(this, settings)
    this.#tls.push(tls)
    return this.#listen(options, (socket) => {
      this.#lookAt(socket, readClientHello, CLIENT_HELLO_BYTES_MAX, (hello) => {
        this.#shaking.add(socket)
        socket.once('close', () => this.#shaking.delete(socket))
        tls.accept(socket, hello)
      })
    })
  }

  /** The same for all workers, from now on. */
  ticketKeys(keys: Uint8Array): void {
    for (const tls of this.#tls) tls.ticketKeys(keys)
  }

  // ---- what TLS asks ---------------------------------------------------------------------------

  tlsOf(serverName: string | null): TlsHost | null {
    return this.#owner.tls()?.of(serverName) ?? null
  }

  secured(socket: TLSSocket, set: string): void {
    const arrival: Arrival = { scheme: 'https', set }
    if (socket.alpnProtocol === 'h2') this.#http2.accept(socket, arrival)
    else this.#http1.accept(socket, arrival)
  }

  bug(error: unknown): void {
    this.#owner.bug(error)
  }

  // ---- connections -----------------------------------------------------------------------------

  async #listen(options: ListenOptions, begin: (socket: Socket) => void): Promise<AddressInfo> {
    const server = createServer({ noDelay: true }, (socket) => {
      this.#lastAcceptMs = this.#owner.now()
      if (this.#places.take(socket) === 'taken') return begin(socket)
      this.#owner.refused()
      socket.destroy()
    })
    this.#listeners.push(server)
    const { promise, resolve, reject } = Promise.withResolvers<AddressInfo>()
    server.once('error', reject)
    server.listen(options, () => {
      server.off('error', reject)
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('not a TCP address'))
      else resolve(address)
    })
    return promise
  }

  #lookAt<T>(socket: Socket, look: Look<T>, bytesMax: number, then: (what: T) => void): void {
    const { deadlines, now } = this.#owner
    const mute = new MuteConnection(socket)
    this.#mute.add(mute)
    socket.once('close', () => this.#mute.delete(mute))
    const patience = { deadlines, untilMs: now() + this.#bounds.headMs, bytesMax }
    lookAtFirst(socket, look, patience, (what) => {
      this.#mute.delete(mute)
      then(what)
    })
  }

  get connectionsMax(): number {
    return this.#places.connectionsMax
  }

  /** Those that are there stay. */
  set connectionsMax(connections: number) {
    this.#places.connectionsMax = connections
  }

  // ---- state that draining needs -------------------------------------------------------------

  get lastAcceptMs(): number {
    return this.#lastAcceptMs
  }

  get connections(): readonly DrainedConnection[] {
    return [...this.#mute, ...this.#http1.connections, ...this.#http2.connections]
  }

  closeAfterAnswers(withinMs: number): void {
    this.#http1.closeAfterAnswers()
    this.#http2.closeAfterAnswers(withinMs)
  }

  stopAccepting(): void {
    for (const listener of this.#listeners) if (listener.listening) listener.close()
  }

  destroy(): void {
    clearInterval(this.#sweep)
    this.stopAccepting()
    for (const mute of this.#mute) mute.end()
    for (const socket of this.#shaking) socket.destroy()
    this.#http1.destroy()
    this.#http2.destroy()
  }
}

/** Nothing was promised to it. */
class MuteConnection implements DrainedConnection {
  readonly state = 'idle'
  readonly mode = 'open'
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
  }

  get bytesRead(): number {
    return this.#socket.bytesRead
  }

  end(): void {
    this.#socket.destroy()
  }
}
