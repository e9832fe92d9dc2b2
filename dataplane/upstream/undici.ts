/**
 * The outgoing side: the endpoints of each backend with their lanes, as the table and the endpoints
 * lane of the wire name them, and a call for each request. The last step of a request's way out;
 * nothing above this folder knows which client stands here.
 * Pinned by undici.test.ts: "an endpoint that is taken away finishes what it carries and gets nothing
 * new".
 */
import type { Circuit } from '#wire/delivery'
import type { Endpoint } from '#wire/session'
import type { Backend } from '#wire/table'
import { Balance } from './balance.ts'
import { Call, type CalledBackend, type CallOptions, type Endpoints } from './call.ts'
import { NO_PLACE } from './counts.ts'
import { endpointKey, UpstreamEndpoint } from './endpoint.ts'
import { type LaneOptions, Lanes } from './lanes.ts'
import type { PlacedSet } from './places.ts'
import type { Upstream, UpstreamCall, UpstreamListener, UpstreamRequest } from './upstream.ts'

interface BackendPools extends CalledBackend {
  readonly protocol: Backend['protocol']
  place: number
  /** Of today's table. */
  circuit: Circuit | null
  balance: Balance<UpstreamEndpoint>
}

export class UndiciUpstream implements Upstream, Endpoints {
  readonly options: CallOptions
  readonly #lanes: Lanes
  readonly #backends = new Map<string, BackendPools>()
  /** Endpoints come before the commit that names their backend. */
  readonly #sets = new Map<string, PlacedSet>()

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

  backend(key: string): CalledBackend | null {
    return this.#backends.get(key) ?? null
  }

  /** Before they come into force. */
  async load(backends: ReadonlyMap<string, Backend>): Promise<void> {
    const protocols = new Set([...backends.values()].map(({ protocol }) => protocol))
    for (const protocol of protocols) await this.#lanes.load(protocol)
  }

  backends(backends: ReadonlyMap<string, Backend>): void {
    for (const [key, pools] of this.#backends) {
      if (backends.get(key)?.protocol === pools.protocol) continue
      for (const endpoint of pools.balance.endpoints) endpoint.lane.drain()
      this.#backends.delete(key)
    }
    for (const key of this.#sets.keys()) if (!backends.has(key)) this.#sets.delete(key)
    for (const [key, { protocol, circuit = null }] of backends) {
      const pools = this.#backends.get(key) ?? this.#pools(key, protocol)
      pools.circuit = circuit
      this.#backends.set(key, pools)
    }
  }

  #pools(key: string, protocol: Backend['protocol']): BackendPools {
    const set = this.#sets.get(key)
    const endpoints = this.#endpointsOf(set, protocol, NONE)
    const place = set?.place ?? NO_PLACE
    return { protocol, place, circuit: null, balance: this.#balance(endpoints) }
  }

  #endpoint(endpoint: Endpoint, protocol: Backend['protocol'], place: number): UpstreamEndpoint {
    const { counts } = this.options
    const lane = this.#lanes.to(endpoint, protocol)
    return new UpstreamEndpoint(endpointKey(endpoint), lane, { place, counts })
  }

  #balance(endpoints: readonly UpstreamEndpoint[]): Balance<UpstreamEndpoint> {
    return new Balance(endpoints, this.options.random)
  }

  /** Endpoints that stay keep their connections; those that go finish what they carry. */
  endpoints(set: PlacedSet): void {
    this.#sets.set(set.backend, set)
    const pools = this.#backends.get(set.backend)
    if (pools === undefined) return
    const known = new Map(pools.balance.endpoints.map((endpoint) => [endpoint.key, endpoint]))
    const next = this.#endpointsOf(set, pools.protocol, known)
    const kept = new Set(next)
    for (const endpoint of known.values()) if (!kept.has(endpoint)) endpoint.lane.drain()
    pools.balance = this.#balance(next)
    pools.place = set.place
  }

  /** Each once. */
  #endpointsOf(
    set: PlacedSet | undefined,
    protocol: Backend['protocol'],
    known: ReadonlyMap<string, UpstreamEndpoint>,
  ): readonly UpstreamEndpoint[] {
    const next = new Map<string, UpstreamEndpoint>()
    for (const [i, endpoint] of set?.endpoints.entries() ?? []) {
      const key = endpointKey(endpoint)
      if (next.has(key)) continue
      const place = set?.places[i] ?? NO_PLACE
      next.set(key, known.get(key) ?? this.#endpoint(endpoint, protocol, place))
    }
    return [...next.values()]
  }

  /** Ends every connection at once: what still runs fails. */
  async destroy(): Promise<void> {
    const all = [...this.#backends.values()].flatMap(({ balance }) => balance.endpoints)
    this.#backends.clear()
    await Promise.all(all.map((endpoint) => endpoint.lane.destroy()))
  }
}

const NONE: ReadonlyMap<string, UpstreamEndpoint> = new Map()
