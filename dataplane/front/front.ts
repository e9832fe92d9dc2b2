/**
 * All that a worker listens on: each connection goes, after a look at its first bytes, to HTTP/1 or
 * HTTP/2. What both share stands here: accepting, the number of connections, idling, draining.
 * Pinned by front.test.ts: "one port speaks HTTP/1 and HTTP/2 with prior knowledge".
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { lookAtFirst, lookForPreface, type Patience, PREFACE_BYTES } from './first-bytes.ts'
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

const IDLE_SWEEP_EVERY_MS = 5_000

export class Front {
  readonly #owner: FrontOwner
  readonly #bounds: FrontBounds
  readonly #http1: Http1Front
  readonly #http2: Http2Front
  readonly #listeners: Server[] = []
  /** That have said nothing yet. */
  readonly #mute = new Set<MuteConnection>()
  readonly #places: Places
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

  async listen(options: ListenOptions): Promise<AddressInfo> {
    const server = createServer({ noDelay: true }, (socket) => this.#accepted(socket))
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

  #accepted(socket: Socket): void {
    this.#lastAcceptMs = this.#owner.now()
    if (this.#places.take(socket) === 'full') {
      this.#owner.refused()
      socket.destroy()
      return
    }
    const mute = new MuteConnection(socket)
    this.#mute.add(mute)
    socket.once('close', () => this.#mute.delete(mute))
    lookAtFirst(socket, lookForPreface, this.#patience(PREFACE_BYTES), (spoken) => {
      this.#mute.delete(mute)
      if (spoken === 'h2') this.#http2.accept(socket, 'http')
      else this.#http1.accept(socket, 'http')
    })
  }

  #patience(bytesMax: number): Patience {
    const { deadlines, now } = this.#owner
    return { deadlines, untilMs: now() + this.#bounds.headMs, bytesMax }
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
