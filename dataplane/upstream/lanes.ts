/**
 * Which client carries what is sent to an endpoint: connections of our own, for HTTP/1.1 on our
 * codec and for HTTP/2 on node:http2; undici is there to be compared with.
 * Pinned by lanes.test.ts: "HTTP/1.1 and HTTP/2 go over connections of our own".
 */
import type { Endpoint } from '#wire/session'
import type { Backend } from '#wire/table'
import type { Deadlines } from './deadlines.ts'
import { Http1Lane, type Http1LaneOptions } from './http1-lane.ts'
import type { Library } from '../runtime/library.ts'
import { Http2Lane } from './http2-lane.ts'
import type { Lane } from './lane.ts'
import type { UndiciLane } from './pool.ts'

/** Of one read: what a socket of a kernel at its defaults gives at once. */
const READ_BYTES = 64 * 1024

export interface LaneOptions {
  /** Milliseconds of process.hrtime. */
  readonly now: () => number
  readonly deadlines: Deadlines
  /** A fifth of a worker's start, of which most tables need nothing. */
  readonly undici: Library<typeof UndiciLane>
  /** undici: for comparison, in tests and benches. Absent: own. */
  readonly http1?: 'own' | 'undici'
}

/** One per thread. */
export class Lanes {
  readonly #http1: Http1LaneOptions | null
  readonly #undici: Library<typeof UndiciLane>

  constructor({ now, deadlines, undici, http1 }: LaneOptions) {
    this.#undici = undici
    const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES)
    this.#http1 = http1 === 'undici' ? null : { now, deadlines, readBuffer }
  }

  /** Before backends that speak so get their endpoints. */
  async load(protocol: Backend['protocol']): Promise<void> {
    if (protocol === 'http' && this.#http1 === null) await this.#undici.load()
  }

  to(endpoint: Endpoint, protocol: Backend['protocol']): Lane {
    if (protocol === 'h2c') return new Http2Lane(endpoint)
    if (protocol === 'http' && this.#http1 !== null) return new Http1Lane(endpoint, this.#http1)
    const Loaded = this.#undici.get()
    if (Loaded === null) throw new Error(`what speaks ${protocol} is not loaded`)
    return new Loaded(endpoint, protocol)
  }
}
