/**
 * One request on its way to a backend: which endpoint takes it, whether it is tried again or twice at
 * once, and until when. Lanes below carry each attempt; the first answer ends the call.
 * Pinned by undici-failures.test.ts: "what was sent once is never sent twice".
 */
import type { Circuit } from '#wire/delivery'
import { RETRY_BODY_BYTES_MAX, RETRY_BUDGET_PER_MILLE } from '#wire/limits'
import { type Failure, fail } from '../request/failure.ts'
import { AttemptWatch, type WatchOwner } from './attempt-watch.ts'
import { NO_PLACE, type UpstreamCounts } from './counts.ts'
import type { Deadline, Deadlines, Expiring } from './deadlines.ts'
import { discard } from './discarded.ts'
import type { UpstreamEndpoint } from './endpoint.ts'
import { IdleStream } from './idle-stream.ts'
import type { UpstreamMarks } from './marks.ts'
import { ReplayBody } from './replay-body.ts'
import { afterFailure, afterStatus, backoffMs, isSafe, type Tries, withinBudget } from './retry.ts'
import type { UpstreamCall, UpstreamHead, UpstreamListener, UpstreamRequest } from './upstream.ts'

export interface CallOptions {
  /** Milliseconds of process.hrtime. */
  readonly now: () => number
  /** From 0 to below 1. */
  readonly random: () => number
  readonly deadlines: Deadlines
  readonly counts: UpstreamCounts
  readonly marks: UpstreamMarks
  /** For metrics. */
  readonly happened: (event: CallEvent) => void
}

/** refused: another attempt was due, and the budget of the backend was used up. */
export type CallEvent = 'retry' | 'hedge' | 'refused'

/** Where a call finds somebody to ask. */
export interface Endpoints {
  readonly options: CallOptions
  /** Null where the backend has no endpoint that was not tried. */
  pick(backend: string, tried: readonly UpstreamEndpoint[]): UpstreamEndpoint | null
  /** Null where no table names it. */
  backend(key: string): CalledBackend | null
}

export interface CalledBackend {
  /** In the shared counts. */
  readonly place: number
  readonly circuit: Circuit | null
}

const CIRCUIT_OPEN = fail('circuit-open', 'The backend has as many requests as it may be given.')
const NO_ENDPOINT = fail('no-endpoint', 'The backend has no endpoint that could answer.')

export class Call implements UpstreamCall, WatchOwner, Expiring {
  readonly #endpoints: Endpoints
  readonly #listener: UpstreamListener
  readonly #place: number
  readonly #circuit: Circuit | null
  readonly #replay: ReplayBody | null
  readonly #request: UpstreamRequest
  readonly #tried: UpstreamEndpoint[] = []
  readonly #live: AttemptWatch[] = []
  /** The one that has answered. */
  #winner: AttemptWatch | null = null
  /** Of the backend's budget, for an attempt that is due and not yet made. */
  #reserved: 'no' | 'yes' = 'no'
  #made = 0
  #stale = 0
  #deadline: Deadline | null = null
  /** Of the next attempt. */
  #next: Deadline | null = null
  #state: 'starting' | 'waiting' | 'settled' = 'starting'

  constructor(endpoints: Endpoints, request: UpstreamRequest, listener: UpstreamListener) {
    this.#endpoints = endpoints
    this.#listener = listener
    const backend = endpoints.backend(request.backend)
    this.#place = backend?.place ?? NO_PLACE
    this.#circuit = backend?.circuit ?? null
    this.#replay = replayOf(request)
    this.#request = this.#replay === null ? request : { ...request, body: this.#replay }
  }

  start(): void {
    const { deadlines, now } = this.#endpoints.options
    const { deadlineMs, delivery, body, method, upgrade } = this.#request
    this.#deadline = deadlines.add(deadlineMs, this)
    // Two tunnels would be two conversations.
    const mayHedge = body === null && upgrade === undefined && isSafe(method) === 'yes'
    if (delivery.hedgeAfterMs !== null && mayHedge) {
      this.#next = deadlines.add(now() + delivery.hedgeAfterMs, new Alarm(() => this.#hedge()))
    }
    this.#try('first', NO_ENDPOINT)
    if (this.#state === 'starting') this.#state = 'waiting'
  }

  /** `otherwise`: what is said where nobody is left to ask. */
  #try(kind: 'first' | 'extra', otherwise: Failure): void {
    // The wheel rings within a tick after it: until then nothing may begin.
    if (this.#endpoints.options.now() >= this.#request.deadlineMs) return this.expire()
    if (this.#circuit !== null && this.#isFull(this.#circuit) === 'yes') {
      return this.#fail(otherwise === NO_ENDPOINT ? CIRCUIT_OPEN : otherwise)
    }
    const endpoint = this.#endpoints.pick(this.#request.backend, this.#tried)
    if (endpoint === null) this.#fail(otherwise)
    else this.#dispatch(endpoint, kind)
  }

  /** Of all workers; two that look in the same moment may both find the last place free. */
  #isFull({ requests }: Circuit): 'yes' | 'no' {
    if (requests === undefined) return 'no'
    return this.#endpoints.options.counts.sum(this.#place, 'attempts') >= requests ? 'yes' : 'no'
  }

  #dispatch(endpoint: UpstreamEndpoint, kind: 'first' | 'extra'): void {
    const place = this.#place
    const watch = new AttemptWatch({ endpoint, place, kind }, this, this.#endpoints.options)
    if (kind === 'extra') this.#reserved = 'no'
    this.#made++
    this.#live.push(watch)
    watch.start(this.#request)
  }

  // ---- WatchOwner ------------------------------------------------------------------------------

  interim(status: number, headers: readonly string[]): void {
    if (this.#state !== 'settled') this.#listener.interim?.(status, headers)
  }

  answered(watch: AttemptWatch, head: UpstreamHead): void {
    this.#forget(watch)
    const retry = this.#rule
    const again = retry !== null && afterStatus(head.status, this.#tries(watch), retry) === 'later'
    // The other of two may still do better.
    if (again && (this.#live.length > 0 || this.#later(watch, NO_ENDPOINT) === 'yes')) {
      discard(head.stream, this.#endpoints.options)
      return
    }
    this.#winner = watch
    this.#settle()
    this.#listener.head(watch.endpoint.lane.times === 'kept' ? head : this.#watched(head))
  }

  #watched(head: UpstreamHead): UpstreamHead {
    const { idleMs } = this.#request.delivery.timeouts
    return { ...head, stream: new IdleStream(head.stream, idleMs, this.#endpoints.options) }
  }

  failed(watch: AttemptWatch, failure: Failure): void {
    this.#forget(watch)
    const { endpoint } = watch
    if (failure.cause === 'upstream-connect') endpoint.penalise(this.#endpoints.options.now())
    // The other of two may still answer.
    if (this.#live.length > 0) return
    switch (afterFailure(failure, this.#tries(watch), this.#rule)) {
      case 'no':
        return this.#fail(failure)
      case 'elsewhere':
        this.#tried.push(endpoint)
        return this.#try('first', failure)
      case 'again':
        this.#stale++
        this.#made--
        return this.#try('first', failure)
      case 'later':
        if (this.#later(watch, failure) === 'no') this.#fail(failure)
    }
  }

  #forget(watch: AttemptWatch): void {
    const at = this.#live.indexOf(watch)
    if (at >= 0) this.#live.splice(at, 1)
  }

  /** When it is tried again. A backend that was offered a switch may have acted on it. */
  get #rule(): UpstreamRequest['delivery']['retry'] {
    const { upgrade, delivery } = this.#request
    return upgrade === undefined ? delivery.retry : null
  }

  #tries(watch: AttemptWatch): Tries {
    const { method } = this.#request
    const { turn } = watch
    return { method, made: this.#made, stale: this.#stale, body: this.#bodyOf(watch), turn }
  }

  #bodyOf(watch: AttemptWatch): Tries['body'] {
    const { body } = this.#request
    if (body === null) return 'none'
    if (this.#replay !== null) return this.#replay.holds === 'all' ? 'kept' : 'gone'
    return Buffer.isBuffer(body) || watch.body === 'unread' ? 'kept' : 'gone'
  }

  // ---- another attempt -------------------------------------------------------------------------

  /** no: there is no time, or the backend's budget is used up. */
  #later(watch: AttemptWatch, otherwise: Failure): 'yes' | 'no' {
    const { now, random, deadlines } = this.#endpoints.options
    const retry = this.#rule
    if (retry === null) return 'no'
    const at = now() + backoffMs(retry, this.#made, random)
    if (at >= this.#request.deadlineMs || this.#mayAdd() === 'no') return 'no'
    // Nobody reads until then: what the attempt that is over was given would be lost.
    this.#replay?.release()
    this.#tried.push(watch.endpoint)
    this.#next?.cancel()
    this.#next = deadlines.add(at, new Alarm(() => this.#retry(otherwise)))
    return 'yes'
  }

  #retry(otherwise: Failure): void {
    if (this.#state === 'settled') return
    // The client has left meanwhile, or the first bytes are gone: a part is never sent as a whole.
    if (this.#replay?.holds === 'part') return this.#fail(otherwise)
    this.#endpoints.options.happened('retry')
    // Where all were tried, the one that failed may have recovered.
    const { backend } = this.#request
    if (this.#endpoints.pick(backend, this.#tried) === null) this.#tried.length = 0
    this.#try('extra', otherwise)
  }

  #hedge(): void {
    const [first] = this.#live
    if (this.#state === 'settled' || first === undefined || this.#live.length > 1) return
    const { backend, deadlineMs } = this.#request
    if (this.#endpoints.options.now() >= deadlineMs) return
    const other = this.#endpoints.pick(backend, [...this.#tried, first.endpoint])
    if (other === null || this.#mayAdd() === 'no') return
    this.#endpoints.options.happened('hedge')
    this.#dispatch(other, 'extra')
  }

  #mayAdd(): 'yes' | 'no' {
    if (this.#circuit !== null && this.#isFull(this.#circuit) === 'yes') return 'no'
    const { counts, happened } = this.#endpoints.options
    const perMille = this.#request.delivery.retry?.budgetPerMille ?? RETRY_BUDGET_PER_MILLE
    const attempts = counts.sum(this.#place, 'attempts')
    const may = withinBudget(perMille, attempts, counts.sum(this.#place, 'extra'))
    if (may === 'no') happened('refused')
    else this.#reserve()
    return may
  }

  /** Counted when it is decided: of many that fail together, few may go on. */
  #reserve(): void {
    this.#endpoints.options.counts.add(this.#place, 'extra', 1)
    this.#reserved = 'yes'
  }

  // ---- the end ---------------------------------------------------------------------------------

  expire(): void {
    this.#giveUp(fail('upstream-timeout', 'The backend did not answer in time.'))
  }

  abort(): void {
    if (this.#state === 'settled') this.#winner?.giveUp()
    else this.#giveUp(fail('client-closed', 'The client closed the connection.'))
  }

  #giveUp(failure: Failure): void {
    if (this.#state !== 'settled') this.#fail(failure)
  }

  #fail(failure: Failure): void {
    const early = this.#state === 'starting'
    this.#settle()
    if (early) queueMicrotask(() => this.#listener.failed(failure))
    else this.#listener.failed(failure)
  }

  #settle(): void {
    this.#state = 'settled'
    this.#deadline?.cancel()
    this.#deadline = null
    this.#next?.cancel()
    this.#next = null
    if (this.#reserved === 'yes') this.#endpoints.options.counts.add(this.#place, 'extra', -1)
    this.#reserved = 'no'
    for (const watch of this.#live.splice(0)) watch.giveUp()
  }
}

class Alarm implements Expiring {
  readonly expire: () => void
  constructor(expire: () => void) {
    this.expire = expire
  }
}

/** Only where the rule allows another attempt of this request, and its body may fit. */
function replayOf({ body, method, delivery: { retry } }: UpstreamRequest): ReplayBody | null {
  if (retry === null || body === null || Buffer.isBuffer(body)) return null
  if (!retry.methods.has(method) || retry.attempts < 2) return null
  const fits = body.bytesDeclared === null || body.bytesDeclared <= RETRY_BODY_BYTES_MAX
  return fits ? new ReplayBody(body) : null
}
