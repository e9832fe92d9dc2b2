/**
 * Which client carries what is sent to an endpoint: our own for plain HTTP/1.1, undici for the rest.
 * Pinned by lanes.test.ts: "plain HTTP/1.1 goes over connections of our own".
 */
import type { Endpoint } from '#wire/session'
import type { Backend } from '#wire/table'
import type { Deadlines } from './deadlines.ts'
import { Http1Lane, type Http1LaneOptions } from './http1-lane.ts'
import type { Lane } from './lane.ts'
import { UndiciLane } from './pool.ts'

/** Of one read: what a socket of a kernel at its defaults gives at once. */
const READ_BYTES = 64 * 1024

export interface LaneOptions {
  /** Milliseconds of process.hrtime. */
  readonly now: () => number
  readonly deadlines: Deadlines
  /** undici: for comparison, in tests and benches. Absent: own. */
  readonly http1?: 'own' | 'undici'
}

/** One per thread. */
export class Lanes {
  readonly #http1: Http1LaneOptions | null

  constructor({ now, deadlines, http1 }: LaneOptions) {
    const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES)
    this.#http1 = http1 === 'undici' ? null : { now, deadlines, readBuffer }
  }

  to(endpoint: Endpoint, protocol: Backend['protocol']): Lane {
    if (protocol !== 'http' || this.#http1 === null) return new UndiciLane(endpoint, protocol)
    return new Http1Lane(endpoint, this.#http1)
  }
}
