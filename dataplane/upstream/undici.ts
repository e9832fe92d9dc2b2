/**
 * The outgoing side: the endpoints of each backend with their lanes, as the table and the endpoints
 * lane of the wire name them, and a call for each request. The last step of a request's way out;
 * nothing above this folder knows which client stands here.
 * Pinned by undici.test.ts: "an endpoint that is taken away finishes what it carries and gets nothing
 * new".
 */
import type { Circuit, Health } from '#wire/delivery'
import type { Endpoint } from '#wire/session'
import type { Backend } from '#wire/table'
import { Balance } from './balance.ts'
import { Call, type CalledBackend, type CallOptions, type Endpoints } from './call.ts'
import { NO_PLACE } from './counts.ts'
import { type EndpointBackend, endpointKey, UpstreamEndpoint } from './endpoint.ts'
import { type LaneOptions, Lanes } from './lanes.ts'
import type { PlacedSet } from './places.ts'
import type { Upstream, UpstreamCall, UpstreamListener, UpstreamRequest } from './upstream.ts'

/** What is known of a backend at this moment; its endpoints read it too. */
interface BackendState extends CalledBackend, EndpointBackend {
  place: number
  circuit: Circuit | null
  health: Health | null
}

interface BackendPools {
  readonly protocol: Backend['protocol']
  readonly state: BackendState
  balance: Balance<UpstreamEndpoint>
}

type Owner = Pick<BackendPools, 'protocol' | 'state'>

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
    return this.#backends.get(key)?.state ?? null
  }

  /** Before they come into force. */
  async load(backends: ReadonlyMap<string, Backend>): Promise<void> {
    const protocols = new Set([...backends.values()].map(({ protocol }) => protocol))
    for (const protocol of protocols) await this.#lanes.load(protocol)
  }

  backends(backends: ReadonlyMap<string, Backend>): void {
    this.#drop(backends)
    for (const key of this.#sets.keys()) if (!backends.has(key)) this.#sets.delete(key)
    for (const [key, backend] of backends) {
      const pools = this.#backends.get(key) ?? this.#pools(key, backend.protocol)
      pools.state.circuit = backend.circuit ?? null
      pools.state.health = backend.health ?? null
      this.#backends.set(key, pools)
    }
  }

  /** Those that are gone, or speak otherwise. */
  #drop(backends: ReadonlyMap<string, Backend>): void {
    for (const [key, pools] of this.#backends) {
      if (backends.get(key)?.protocol === pools.protocol) continue
      for (const endpoint of pools.balance.endpoints) endpoint.lane.drain()
      this.#backends.delete(key)
    }
  }

  #pools(key: string, protocol: Backend['protocol']): BackendPools {
    const set = this.#sets.get(key)
    const { counts, marks } = this.options
    const place = set?.place ?? NO_PLACE
    const state = { place, circuit: null, health: null, counts, marks }
    const endpoints = this.#endpointsOf(set, { protocol, state }, NONE)
    return { protocol, state, balance: this.#balance(endpoints) }
  }

  #endpoint(endpoint: Endpoint, { protocol, state }: Owner, place: number): UpstreamEndpoint {
    const lane = this.#lanes.to(endpoint, protocol)
    return new UpstreamEndpoint({ key: endpointKey(endpoint), lane, place }, state)
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
    const next = this.#endpointsOf(set, pools, known)
    const kept = new Set(next)
    for (const endpoint of known.values()) if (!kept.has(endpoint)) endpoint.lane.drain()
    pools.balance = this.#balance(next)
    pools.state.place = set.place
  }

  /** Each once. */
  #endpointsOf(
    set: PlacedSet | undefined,
    owner: Owner,
    known: ReadonlyMap<string, UpstreamEndpoint>,
  ): readonly UpstreamEndpoint[] {
    const next = new Map<string, UpstreamEndpoint>()
    for (const [i, endpoint] of set?.endpoints.entries() ?? []) {
      const key = endpointKey(endpoint)
      if (next.has(key)) continue
      const place = set?.places[i] ?? NO_PLACE
      next.set(key, known.get(key) ?? this.#endpoint(endpoint, owner, place))
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
