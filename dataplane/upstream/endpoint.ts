/**
 * One endpoint of a backend: its connections, and how it stands with this worker.
 * Pinned by undici-failures.test.ts: "an endpoint that refuses connections is passed over, whatever
 * the method".
 */
import type { Health } from '#wire/delivery'
import type { Endpoint } from '#wire/session'
import type { UpstreamCounts } from './counts.ts'
import type { Lane } from './lane.ts'
import type { Seen, UpstreamMarks } from './marks.ts'

/**
 * Per worker and endpoint. A stream holds its connection as long as it lasts, so this is also how
 * many streams one pod may serve; beyond it requests wait for their deadline.
 */
export const CONNECTIONS_MAX = 1024
/** Of requests without a connection: more would wait longer than anybody does. */
export const WAITING_MAX = 1024

/** An endpoint that refused a connection is passed over for this long, unless all have. */
const PENALTY_MS = 2_000

interface EndpointParts {
  readonly key: string
  readonly lane: Lane
  readonly place: number
}

/** Of all its endpoints. */
export interface EndpointBackend {
  readonly counts: UpstreamCounts
  readonly marks: UpstreamMarks
  /** Of today's table; null: nobody judges its endpoints. */
  readonly health: Health | null
}

export class UpstreamEndpoint {
  /** Address and port. */
  readonly key: string
  readonly lane: Lane
  /** In the counts that all workers share. */
  readonly place: number
  readonly #backend: EndpointBackend
  #penalisedUntilMs = 0

  constructor({ key, lane, place }: EndpointParts, backend: EndpointBackend) {
    this.key = key
    this.lane = lane
    this.place = place
    this.#backend = backend
  }

  underWay(): number {
    return this.#backend.counts.sum(this.place, 'attempts')
  }

  /** What became of an attempt, for whoever judges endpoints. */
  saw(seen: Seen): void {
    if (this.#backend.health !== null) this.#backend.marks.saw(this.place, seen)
  }

  sawStatus(status: number): void {
    if (this.#backend.health !== null) this.#backend.marks.saw(this.place, seenOf(status))
  }

  penalise(nowMs: number): void {
    this.#penalisedUntilMs = nowMs + PENALTY_MS
  }

  /** It has answered. */
  pardon(): void {
    this.#penalisedUntilMs = 0
  }

  standing(nowMs: number): 'good' | 'penalised' {
    if (nowMs < this.#penalisedUntilMs) return 'penalised'
    if (this.#backend.health === null) return 'good'
    return this.#backend.marks.standing(this.place) === 'in' ? 'good' : 'penalised'
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

function seenOf(status: number): Seen {
  if (status < 500) return 'answer'
  return status >= 502 && status <= 504 ? 'gatewayError' : 'error'
}
