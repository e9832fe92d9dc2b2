/**
 * How many connections a worker holds, in all and of one address: nobody can take all of them.
 * Trusted proxies carry many clients and are not counted by address.
 * Pinned by front.test.ts: "one address cannot take all connections, a trusted proxy may".
 */
import type { Socket } from 'node:net'
import type { TrustedProxies } from '../runtime/runtime.ts'
import { peerAddress } from './forwarded.ts'

export interface PlaceBounds {
  /** Of one worker: an idle one takes 10 KiB and a file descriptor; more are closed unanswered. */
  readonly connectionsMax: number
  readonly connectionsPerAddressMax: number
}

export class Places {
  /** 0: nobody is accepted. */
  connectionsMax: number
  readonly #bounds: PlaceBounds
  readonly #trusted: () => TrustedProxies | null
  readonly #taken = new Map<string, number>()
  #all = 0

  constructor(bounds: PlaceBounds, trusted: () => TrustedProxies | null) {
    this.#bounds = bounds
    this.connectionsMax = bounds.connectionsMax
    this.#trusted = trusted
  }

  /** Until the socket closes. */
  take(socket: Socket): 'taken' | 'full' {
    const address = peerAddress(socket.remoteAddress)
    const count = this.#taken.get(address) ?? 0
    if (this.#all >= this.connectionsMax) return 'full'
    if (count >= this.#bounds.connectionsPerAddressMax && !this.#isTrusted(address)) return 'full'
    this.#all++
    this.#taken.set(address, count + 1)
    socket.once('close', () => this.#give(address))
    return 'taken'
  }

  #isTrusted(address: string): boolean {
    return this.#trusted()?.trust(address) === 'trusted'
  }

  #give(address: string): void {
    const count = (this.#taken.get(address) ?? 1) - 1
    this.#all--
    if (count === 0) this.#taken.delete(address)
    else this.#taken.set(address, count)
  }
}
