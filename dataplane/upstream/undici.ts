/**
 * The outgoing side on undici: one pool of connections per endpoint, and a call for each request,
 * which may make a second attempt where the first cannot have reached anybody. The last step of a
 * request's way out; nothing above this folder knows which client stands here.
 * Pinned by undici-failures.test.ts: "what was sent once is never sent twice".
 */
import type { Endpoint, EndpointSet } from '#wire/session'
import type { Backend } from '#wire/table'
import { type Failure, fail } from '../request/failure.ts'
import { Balance } from './balance.ts'
import type { Deadline, Deadlines, Expiring } from './deadlines.ts'
import { UpstreamEndpoint } from './endpoint.ts'
import type { Attempt, AttemptEvents } from './lane.ts'
import { endpointKey, UndiciLane } from './pool.ts'
import type {
  Upstream,
  UpstreamCall,
  UpstreamHead,
  UpstreamListener,
  UpstreamRequest,
} from './upstream.ts'

/** Endpoints tried while none was reached; a fourth would only add to the client's wait. */
const CONNECTS_MAX = 3

/** RFC 9110 section 9.2.2, without those that change something. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

export interface UndiciOptions {
  /** Milliseconds of process.hrtime. */
  readonly now: () => number
  /** From 0 to below 1. */
  readonly random: () => number
  readonly deadlines: Deadlines
}

interface BackendPools {
  readonly protocol: Backend['protocol']
  balance: Balance<UpstreamEndpoint>
}

export class UndiciUpstream implements Upstream {
  readonly options: UndiciOptions
  readonly #backends = new Map<string, BackendPools>()
  /** Endpoints come before the commit that names their backend. */
  readonly #sets = new Map<string, EndpointSet>()

  constructor(options: UndiciOptions) {
    this.options = options
  }

  send(request: UpstreamRequest, listener: UpstreamListener): UpstreamCall {
    const call = new Call(this, request, listener)
    call.start()
    return call
  }

  /** Null where the backend has no endpoint that was not tried. */
  pick(backend: string, tried: readonly UpstreamEndpoint[]): UpstreamEndpoint | null {
    return this.#backends.get(backend)?.balance.pick(this.options.now(), tried) ?? null
  }

  backends(backends: ReadonlyMap<string, Backend>): void {
    for (const [key, pools] of this.#backends) {
      if (backends.get(key)?.protocol === pools.protocol) continue
      for (const endpoint of pools.balance.endpoints) endpoint.lane.drain()
      this.#backends.delete(key)
    }
    for (const key of this.#sets.keys()) if (!backends.has(key)) this.#sets.delete(key)
    for (const [key, { protocol }] of backends) {
      if (!this.#backends.has(key)) this.#backends.set(key, this.#pools(key, protocol))
    }
  }

  #pools(key: string, protocol: Backend['protocol']): BackendPools {
    const endpoints = this.#sets.get(key)?.endpoints ?? []
    return { protocol, balance: this.#balance(endpoints.map((e) => newEndpoint(e, protocol))) }
  }

  #balance(endpoints: readonly UpstreamEndpoint[]): Balance<UpstreamEndpoint> {
    return new Balance(endpoints, this.options.random)
  }

  /** Endpoints that stay keep their connections; those that go finish what they carry. */
  endpoints(set: EndpointSet): void {
    this.#sets.set(set.backend, set)
    const pools = this.#backends.get(set.backend)
    if (pools === undefined) return
    const known = new Map(pools.balance.endpoints.map((endpoint) => [endpoint.key, endpoint]))
    const next = new Map<string, UpstreamEndpoint>()
    for (const endpoint of set.endpoints) {
      const key = endpointKey(endpoint)
      if (next.has(key)) continue
      next.set(key, known.get(key) ?? newEndpoint(endpoint, pools.protocol))
    }
    for (const [key, endpoint] of known) if (!next.has(key)) endpoint.lane.drain()
    pools.balance = this.#balance([...next.values()])
  }

  /** Ends every connection at once: what still runs fails. */
  async destroy(): Promise<void> {
    const all = [...this.#backends.values()].flatMap(({ balance }) => balance.endpoints)
    this.#backends.clear()
    await Promise.all(all.map((endpoint) => endpoint.lane.destroy()))
  }
}

function newEndpoint(endpoint: Endpoint, protocol: Backend['protocol']): UpstreamEndpoint {
  return new UpstreamEndpoint(endpointKey(endpoint), new UndiciLane(endpoint, protocol))
}

/** One request on its way: its attempts, its deadline, and the one answer to its listener. */
class Call implements UpstreamCall, AttemptEvents, Expiring {
  readonly #upstream: UndiciUpstream
  readonly #request: UpstreamRequest
  readonly #listener: UpstreamListener
  readonly #tried: UpstreamEndpoint[] = []
  #endpoint: UpstreamEndpoint | null = null
  #attempt: Attempt | null = null
  #resends = 0
  #deadline: Deadline | null = null
  #state: 'starting' | 'waiting' | 'settled' = 'starting'

  constructor(upstream: UndiciUpstream, request: UpstreamRequest, listener: UpstreamListener) {
    this.#upstream = upstream
    this.#request = request
    this.#listener = listener
  }

  start(): void {
    const { deadlines } = this.#upstream.options
    this.#deadline = deadlines.add(this.#request.deadlineMs, this)
    this.#try(null)
    if (this.#state === 'starting') this.#state = 'waiting'
  }

  /** `before`: why there is another try. */
  #try(before: Failure | null): void {
    const endpoint = this.#upstream.pick(this.#request.backend, this.#tried)
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
      endpoint.penalise(this.#upstream.options.now())
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
