/**
 * One endpoint of a backend: its connections, and how it stands with this worker.
 * Pinned by undici-failures.test.ts: "an endpoint that refuses connections is passed over, whatever
 * the method".
 */
import type { Endpoint } from '#wire/session'
import type { UpstreamCounts } from './counts.ts'
import type { Lane } from './lane.ts'

/**
 * Per worker and endpoint. A stream holds its connection as long as it lasts, so this is also how
 * many streams one pod may serve; beyond it requests wait for their deadline.
 */
export const CONNECTIONS_MAX = 1024

/** An endpoint that refused a connection is passed over for this long, unless all have. */
const PENALTY_MS = 2_000

/** Where what it has under way is counted. */
export interface Counted {
  readonly place: number
  readonly counts: UpstreamCounts
}

export class UpstreamEndpoint {
  /** Address and port. */
  readonly key: string
  readonly lane: Lane
  /** In the counts that all workers share. */
  readonly place: number
  readonly #counts: UpstreamCounts
  #penalisedUntilMs = 0

  constructor(key: string, lane: Lane, { place, counts }: Counted) {
    this.key = key
    this.lane = lane
    this.place = place
    this.#counts = counts
  }

  underWay(): number {
    return this.#counts.sum(this.place, 'attempts')
  }

  penalise(nowMs: number): void {
    this.#penalisedUntilMs = nowMs + PENALTY_MS
  }

  /** It has answered. */
  pardon(): void {
    this.#penalisedUntilMs = 0
  }

  standing(nowMs: number): 'good' | 'penalised' {
    return nowMs < this.#penalisedUntilMs ? 'penalised' : 'good'
  }
}

export function endpointKey({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

type LookupDone = (error: Error, address: string, family: number) => void

/**
 * Endpoints are addresses. A name here would be resolved by the system's resolver, which blocks a
 * thread of the pool; it fails as an endpoint that cannot be reached.
 */
export function refuseNames(_name: string, _options: unknown, done: LookupDone): void {
  process.nextTick(() => done(new Error('an endpoint must be an address'), '', 0))
}
