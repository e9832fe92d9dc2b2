/**
 * One request on its way to a backend: which endpoint takes it, whether it is tried again, and until
 * when. A second attempt is made where the first cannot have reached anybody. Lanes below carry each
 * attempt.
 * Pinned by undici-failures.test.ts: "what was sent once is never sent twice".
 */
import { type Failure, fail } from '../request/failure.ts'
import type { Deadline, Deadlines, Expiring } from './deadlines.ts'
import type { UpstreamEndpoint } from './endpoint.ts'
import type { Attempt, AttemptEvents } from './lane.ts'
import type { UpstreamCall, UpstreamHead, UpstreamListener, UpstreamRequest } from './upstream.ts'

/** Endpoints tried while none was reached; a fourth would only add to the client's wait. */
const CONNECTS_MAX = 3

/** RFC 9110 section 9.2.2, without those that change something. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

export interface CallOptions {
  /** Milliseconds of process.hrtime. */
  readonly now: () => number
  /** From 0 to below 1. */
  readonly random: () => number
  readonly deadlines: Deadlines
}

/** Where a call finds somebody to ask. */
export interface Endpoints {
  readonly options: CallOptions
  /** Null where the backend has no endpoint that was not tried. */
  pick(backend: string, tried: readonly UpstreamEndpoint[]): UpstreamEndpoint | null
}

/** One request on its way: its attempts, its deadline, and the one answer to its listener. */
export class Call implements UpstreamCall, AttemptEvents, Expiring {
  readonly #endpoints: Endpoints
  readonly #request: UpstreamRequest
  readonly #listener: UpstreamListener
  readonly #tried: UpstreamEndpoint[] = []
  #endpoint: UpstreamEndpoint | null = null
  #attempt: Attempt | null = null
  #resends = 0
  #deadline: Deadline | null = null
  #state: 'starting' | 'waiting' | 'settled' = 'starting'

  constructor(endpoints: Endpoints, request: UpstreamRequest, listener: UpstreamListener) {
    this.#endpoints = endpoints
    this.#request = request
    this.#listener = listener
  }

  start(): void {
    const { deadlines } = this.#endpoints.options
    this.#deadline = deadlines.add(this.#request.deadlineMs, this)
    this.#try(null)
    if (this.#state === 'starting') this.#state = 'waiting'
  }

  /** `before`: why there is another try. */
  #try(before: Failure | null): void {
    // The wheel rings within a tick after it: until then nothing may begin.
    if (this.#endpoints.options.now() >= this.#request.deadlineMs) return this.expire()
    const endpoint = this.#endpoints.pick(this.#request.backend, this.#tried)
    if (endpoint === null) {
      this.#fail(before ?? fail('no-endpoint', 'The backend has no endpoint that could answer.'))
      return
    }
    this.#endpoint = endpoint
    this.#attempt = endpoint.lane.dispatch(this.#request, this)
  }

  // ---- AttemptEvents ---------------------------------------------------------------------------

  answered(_attempt: Attempt, head: UpstreamHead): void {
    this.#endpoint?.pardon()
    if (this.#state === 'settled') return
    this.#settle()
    this.#listener.head(head)
  }

  interim(_attempt: Attempt, status: number, headers: readonly string[]): void {
    if (this.#state !== 'settled') this.#listener.interim?.(status, headers)
  }

  over(): void {}

  failed(attempt: Attempt, failure: Failure): void {
    const endpoint = this.#endpoint
    if (this.#state === 'settled' || endpoint === null) return
    if (failure.cause === 'upstream-connect') {
      endpoint.penalise(this.#endpoints.options.now())
    }
    switch (this.#mayTryAgain(attempt, failure)) {
      case 'no':
        return this.#fail(failure)
      case 'elsewhere':
        this.#tried.push(endpoint)
        return this.#try(failure)
      case 'again':
        this.#resends++
        return this.#try(failure)
    }
  }

  /**
   * Only where no server can have acted on the request: no connection came about, or an idle one
   * had been closed by the other side while a safe request without body was on its way.
   */
  #mayTryAgain(attempt: Attempt, failure: Failure): 'no' | 'elsewhere' | 'again' {
    if (attempt.body === 'consumed') return 'no'
    if (failure.retry === 'always') {
      return this.#tried.length + 1 < CONNECTS_MAX ? 'elsewhere' : 'no'
    }
    if (failure.retry !== 'ifReused' || attempt.turn !== 'reused' || this.#resends > 0) return 'no'
    return this.#request.body === null && SAFE.has(this.#request.method) ? 'again' : 'no'
  }

  // ---- the end ---------------------------------------------------------------------------------

  expire(): void {
    this.#giveUp(fail('upstream-timeout', 'The backend did not answer in time.'))
  }

  abort(): void {
    if (this.#state === 'settled') this.#attempt?.abort()
    else this.#giveUp(fail('client-closed', 'The client closed the connection.'))
  }

  #giveUp(failure: Failure): void {
    if (this.#state === 'settled') return
    this.#fail(failure)
    this.#attempt?.abort()
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
  }
}
