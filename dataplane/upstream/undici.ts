/**
 * The outgoing side: the endpoints of each backend with their lanes, as the table and the endpoints
 * lane of the wire name them, and a call for each request. The last step of a request's way out;
 * nothing above this folder knows which client stands here.
 * Pinned by undici.test.ts: "an endpoint that is taken away finishes what it carries and gets nothing
 * new".
 */
import type { Endpoint, EndpointSet } from '#wire/session'
import type { Backend } from '#wire/table'
import { Balance } from './balance.ts'
import { Call, type CallOptions, type Endpoints } from './call.ts'
import { UpstreamEndpoint } from './endpoint.ts'
import { type LaneOptions, Lanes } from './lanes.ts'
import { endpointKey } from './pool.ts'
import type { Upstream, UpstreamCall, UpstreamListener, UpstreamRequest } from './upstream.ts'

interface BackendPools {
  readonly protocol: Backend['protocol']
  balance: Balance<UpstreamEndpoint>
}

export class UndiciUpstream implements Upstream, Endpoints {
  readonly options: CallOptions
  readonly #lanes: Lanes
  readonly #backends = new Map<string, BackendPools>()
  /** Endpoints come before the commit that names their backend. */
  readonly #sets = new Map<string, EndpointSet>()

  constructor(options: CallOptions & LaneOptions) {
    this.options = options
    this.#lanes = new Lanes(options)
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
    return { protocol, balance: this.#balance(endpoints.map((e) => this.#endpoint(e, protocol))) }
  }

  #endpoint(endpoint: Endpoint, protocol: Backend['protocol']): UpstreamEndpoint {
    return new UpstreamEndpoint(endpointKey(endpoint), this.#lanes.to(endpoint, protocol))
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
      next.set(key, known.get(key) ?? this.#endpoint(endpoint, pools.protocol))
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
