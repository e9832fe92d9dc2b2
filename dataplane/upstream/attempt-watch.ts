/**
 * One attempt under the eyes of its call: counted while it takes something of its endpoint, and given
 * up where it takes too long. What becomes of the request is the call's to decide.
 * Pinned by call.test.ts: "what is under way is counted until it is over".
 */
import { type Failure, fail } from '../request/failure.ts'
import type { UpstreamCounts } from './counts.ts'
import type { Deadline, Deadlines, Expiring } from './deadlines.ts'
import type { UpstreamEndpoint } from './endpoint.ts'
import type { Attempt, AttemptEnd, AttemptEvents } from './lane.ts'
import type { UpstreamHead, UpstreamRequest } from './upstream.ts'

/** Exactly one of `answered` and `failed` is called, once, unless it was given up. */
export interface WatchOwner {
  answered(watch: AttemptWatch, head: UpstreamHead): void
  failed(watch: AttemptWatch, failure: Failure): void
  interim(status: number, headers: readonly string[]): void
}

export interface WatchWithin {
  readonly now: () => number
  readonly deadlines: Deadlines
  readonly counts: UpstreamCounts
}

export interface Watched {
  readonly endpoint: UpstreamEndpoint
  /** The backend's place. */
  readonly place: number
  /** extra: a retry or a hedge, for which the call has counted one already. */
  readonly kind: 'first' | 'extra'
}

export class AttemptWatch implements AttemptEvents, Expiring {
  readonly endpoint: UpstreamEndpoint
  readonly #owner: WatchOwner
  readonly #within: WatchWithin
  readonly #place: number
  readonly #kind: Watched['kind']
  #attempt: Attempt | null = null
  #stage: 'connecting' | 'sent' | 'settled' = 'connecting'
  #startedMs = 0
  #limits: AttemptLimits = NO_LIMITS
  #deadline: Deadline | null = null

  constructor(watched: Watched, owner: WatchOwner, within: WatchWithin) {
    this.endpoint = watched.endpoint
    this.#place = watched.place
    this.#kind = watched.kind
    this.#owner = owner
    this.#within = within
  }

  start(request: UpstreamRequest): void {
    this.#count(1)
    this.#attempt = this.endpoint.lane.dispatch(request, this)
    const { timeouts, retry } = request.delivery
    const perTryMs = retry?.perTryMs ?? Number.POSITIVE_INFINITY
    const isKept = this.endpoint.lane.times === 'kept'
    if (isKept && perTryMs === Number.POSITIVE_INFINITY) return
    this.#limits = isKept ? { ...NO_LIMITS, perTryMs } : { ...timeouts, perTryMs }
    this.#startedMs = this.#within.now()
    this.#arm(Math.min(this.#limits.connectMs, perTryMs))
  }

  /** Whether its connection had carried others before. */
  get turn(): 'fresh' | 'reused' {
    return this.#attempt?.turn ?? 'fresh'
  }

  get body(): 'unread' | 'consumed' {
    return this.#attempt?.body ?? 'unread'
  }

  giveUp(): void {
    this.#settle()
    this.#attempt?.abort()
  }

  #count(amount: 1 | -1): void {
    const { counts } = this.#within
    counts.add(this.endpoint.place, 'attempts', amount)
    counts.add(this.#place, 'attempts', amount)
  }

  // ---- times -----------------------------------------------------------------------------------

  #arm(afterMs: number): void {
    if (afterMs === Number.POSITIVE_INFINITY) return
    this.#deadline = this.#within.deadlines.add(this.#startedMs + afterMs, this)
  }

  expire(): void {
    if (this.#stage === 'settled') return
    const failure =
      this.#stage === 'connecting' && this.#within.now() < this.#perTryEndsMs()
        ? fail('upstream-connect', 'The backend cannot be reached in time.')
        : fail('upstream-timeout', 'The backend did not answer in time.')
    this.#sawFailure(failure)
    this.giveUp()
    this.#owner.failed(this, failure)
  }

  #perTryEndsMs(): number {
    const { perTryMs } = this.#limits
    return this.#startedMs + perTryMs
  }

  #settle(): void {
    this.#stage = 'settled'
    this.#deadline?.cancel()
    this.#deadline = null
  }

  // ---- AttemptEvents ---------------------------------------------------------------------------

  sent(): void {
    if (this.#stage !== 'connecting') return
    this.#stage = 'sent'
    if (this.#limits === NO_LIMITS) return
    this.#deadline?.cancel()
    const { firstByteMs, perTryMs } = this.#limits
    const waitedMs = this.#within.now() - this.#startedMs
    this.#arm(Math.min(waitedMs + firstByteMs, perTryMs))
  }

  interim(_attempt: Attempt, status: number, headers: readonly string[]): void {
    if (this.#stage !== 'settled') this.#owner.interim(status, headers)
  }

  answered(_attempt: Attempt, head: UpstreamHead): void {
    this.endpoint.pardon()
    if (this.#stage === 'settled') return
    this.endpoint.sawStatus(head.status)
    this.#settle()
    this.#owner.answered(this, head)
  }

  failed(_attempt: Attempt, failure: Failure): void {
    if (this.#stage === 'settled') return
    this.#sawFailure(failure)
    this.#settle()
    this.#owner.failed(this, failure)
  }

  /** An idle connection that the other side had closed says nothing about it. */
  #sawFailure({ fault, retry }: Failure): void {
    if (fault !== 'upstream' || (retry === 'ifReused' && this.turn === 'reused')) return
    this.endpoint.saw('gatewayError')
  }

  over(_attempt: Attempt, _end: AttemptEnd): void {
    this.#count(-1)
    if (this.#kind === 'extra') this.#within.counts.add(this.#place, 'extra', -1)
  }
}

interface AttemptLimits {
  readonly connectMs: number
  readonly firstByteMs: number
  readonly perTryMs: number
}
const FOREVER = Number.POSITIVE_INFINITY
const NO_LIMITS: AttemptLimits = { connectMs: FOREVER, firstByteMs: FOREVER, perTryMs: FOREVER }
