/**
 * What belongs to the gateway as a whole: whom it trusts, which of a client's headers may pass, and
 * which backends there are. Proved by build.test.ts.
 */
import type { Forward } from '#wire/auth'
import type { Backend, Gateway } from '#wire/table'
import { type ClientHeaders, clientHeaders, foldedName } from './client-headers.ts'
import type { ChangedObject, TableObjects } from './objects.ts'
import type { Refusal } from './readings.ts'
import type { PreparedTable, TrustedProxies } from './runtime.ts'
import { Staged } from './staged.ts'
import { trustedProxies } from './trusted-proxies.ts'

export interface GatewayState
  extends Pick<PreparedTable, 'gateway' | 'trustedProxies' | 'clientHeaders'> {
  readonly backends: ReadonlyMap<string, Backend>
  readonly refusals: readonly Refusal[]
}

/** Nothing is trusted, nothing is there. */
export const CLOSED: GatewayState = {
  gateway: { trustedProxies: [], egressAllow: [], dataPlanes: 1 },
  trustedProxies: null,
  clientHeaders: clientHeaders(new Set()),
  backends: new Map(),
  refusals: [],
}

export class BuiltGateway {
  readonly #objects: TableObjects
  readonly #forwards = new Staged<Forward>()
  readonly #backends = new Staged<Backend>()
  #state = CLOSED

  constructor(objects: TableObjects) {
    this.#objects = objects
  }

  build(changed: readonly ChangedObject[]): GatewayState {
    this.#forwards.reset()
    this.#backends.reset()
    let state = this.#state
    for (const one of changed) {
      if (one.kind === 'gateway') state = { ...state, ...this.#gateway(one, state) }
      if (one.kind === 'forward') {
        this.#forwards.stage(one.key, this.#objects.get('forward', one.key))
      }
      if (one.kind === 'backend') {
        this.#backends.stage(one.key, this.#objects.get('backend', one.key))
      }
    }
    if (this.#forwards.changes.size > 0) state = { ...state, clientHeaders: this.#headers() }
    if (this.#backends.changes.size > 0) state = { ...state, backends: this.#backends.merged() }
    return state
  }

  /** A gateway that gives way to another comes as a drop and a put, in either order. */
  #gateway({ key, object }: ChangedObject, before: GatewayState): GatewayParts | null {
    if (object === null) return before.gateway === this.#state.gateway ? closedParts() : null
    const gateway = this.#objects.get('gateway', key) ?? CLOSED.gateway
    return partsOf(key, gateway)
  }

  #headers(): ClientHeaders {
    const names = new Set<string>()
    for (const forward of this.#forwards.merged().values()) {
      for (const { name } of forward.headers) names.add(foldedName(name))
    }
    return clientHeaders(names)
  }

  commit(state: GatewayState): void {
    this.#forwards.commit()
    this.#backends.commit()
    this.#state = state
  }
}

interface GatewayParts {
  readonly gateway: Gateway
  readonly trustedProxies: TrustedProxies | null
  readonly refusals: readonly Refusal[]
}

function closedParts(): GatewayParts {
  const { gateway, trustedProxies: trusted, refusals } = CLOSED
  return { gateway, trustedProxies: trusted, refusals }
}

function partsOf(key: string, gateway: Gateway): GatewayParts {
  const ranges = trustedProxies(gateway.trustedProxies)
  if (ranges.kind === 'ranges') return { gateway, trustedProxies: ranges.trusted, refusals: [] }
  const refusals: readonly Refusal[] = [{ kind: 'gateway', key, reason: ranges.because }]
  return { gateway, trustedProxies: null, refusals }
}
