/**
 * The backend's end of a tunnel: its connection after 101, of which no byte is read as HTTP any more.
 * Bounded by back-pressure in both directions, and by the time in which nothing moves.
 * Pinned by http1-tunnel.test.ts: "bytes pass both ways, and each way ends on its own".
 */
import type { Socket } from 'node:net'
import { type Failure, fail } from '../request/failure.ts'
import type { Tunnel, TunnelSide } from '../request/tunnel.ts'
import type { Deadline, Deadlines, Expiring } from './deadlines.ts'
import { DETAILS } from './failures.ts'
import type { AttemptEnd } from './lane.ts'

export interface TunnelOwner {
  /** Milliseconds of process.hrtime. */
  readonly now: () => number
  readonly deadlines: Deadlines
  readonly idleMs: number
  /** Once: the connection is to be closed, if it is not. */
  over(end: AttemptEnd): void
}

export class Http1Tunnel implements Tunnel, Expiring {
  readonly #socket: Socket
  readonly #owner: TunnelOwner
  /** What came with the head. */
  #first: Buffer | null
  #client: TunnelSide | null = null
  #toClient: 'closed' | 'flowing' | 'paused' | 'ended' = 'closed'
  #toBackend: 'open' | 'ended' = 'open'
  #state: 'running' | 'over' = 'running'
  #movedMs: number
  #watch: Deadline

  constructor(socket: Socket, first: Buffer | null, owner: TunnelOwner) {
    this.#socket = socket
    this.#first = first
    this.#owner = owner
    this.#movedMs = owner.now()
    this.#watch = owner.deadlines.add(this.#movedMs + owner.idleMs, this)
  }

  // ---- the client's side -----------------------------------------------------------------------

  open(client: TunnelSide): void {
    if (this.#state === 'over') return client.abort(fail('upstream-reset', DETAILS.truncated))
    this.#client = client
    this.#toClient = 'flowing'
    const first = this.#first
    this.#first = null
    if (first === null || client.data(first) === 'more') this.#socket.resume()
    else this.#toClient = 'paused'
  }

  data(chunk: Buffer): 'more' | 'pause' {
    if (this.#state === 'over' || this.#toBackend === 'ended') return 'more'
    this.#movedMs = this.#owner.now()
    this.#socket.write(chunk)
    return this.#socket.writableNeedDrain ? 'pause' : 'more'
  }

  end(): void {
    if (this.#state === 'over' || this.#toBackend === 'ended') return
    this.#toBackend = 'ended'
    this.#socket.end()
  }

  resume(): void {
    if (this.#toClient !== 'paused' || this.#state === 'over') return
    this.#toClient = 'flowing'
    this.#movedMs = this.#owner.now()
    this.#socket.resume()
  }

  abort(): void {
    this.#close('aborted')
  }

  // ---- its connection's side -------------------------------------------------------------------

  /** Whether the connection is to be read. */
  get flow(): 'flowing' | 'paused' {
    return this.#toClient === 'flowing' ? 'flowing' : 'paused'
  }

  /** `piece` is nobody else's. */
  arrived(piece: Buffer): void {
    this.#movedMs = this.#owner.now()
    if (this.#client === null) {
      this.#first = this.#first === null ? piece : Buffer.concat([this.#first, piece])
    } else if (this.#client.data(piece) === 'pause') this.#toClient = 'paused'
  }

  drained(): void {
    this.#movedMs = this.#owner.now()
    this.#client?.resume()
  }

  /** The backend sends no more. */
  ended(): void {
    this.#toClient = 'ended'
    this.#client?.end()
  }

  /** Its connection is closed. */
  lost(): void {
    if (this.#toClient === 'ended' && this.#toBackend === 'ended') this.#close('complete')
    else this.#break(fail('upstream-reset', DETAILS.reset))
  }

  /** Whoever takes its bytes has a bug. */
  failed(failure: Failure): void {
    this.#break(failure)
  }

  expire(): void {
    const dueMs = this.#movedMs + this.#owner.idleMs
    if (dueMs > this.#owner.now()) this.#watch = this.#owner.deadlines.add(dueMs, this)
    else this.#break(fail('upstream-timeout', DETAILS.idle))
  }

  #break(failure: Failure): void {
    if (this.#state === 'over') return
    this.#close('broken')
    this.#client?.abort(failure)
  }

  #close(end: AttemptEnd): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#first = null
    this.#watch.cancel()
    this.#owner.over(end)
  }
}
