/**
 * Where routes are served: which gateways admit them, who owns which host there, and what each host
 * lists in final precedence. The memo keeps all that an edit does not touch: a host is sorted again
 * only where one of its own entries changed.
 * Pinned by placement.test.ts: "only hosts touched are sorted again".
 */
import type { HostEntry } from '#wire/table'
import type { InForceSteps, Ingredients } from './in-force.ts'
import type { Memo, Recorder, Step } from './memo.ts'
import { type Claim, ownerOf, type Ownership, wildcardsOver } from './ownership.ts'
import { inPrecedence, type Ranked, rankOf } from './precedence.ts'
import { admits, keyOf, namesOf } from './resolve.ts'
import { gatewayKeys, type RouteInForce } from './route-in-force.ts'
import { type Sealed, type Sealer, sameSealed } from './seal.ts'

export interface PlacementSteps {
  /** Keyed `gateway`: host → routes of it that are admitted and name the host. */
  readonly claims: Step<Claims>
  /** Keyed `gateway route`. */
  readonly placement: Step<Placement>
  /** Keyed `gateway host`. */
  readonly owner: Step<Ownership>
  /** Keyed `gateway host`; null where nobody owns it. */
  readonly hostObject: Step<Sealed | null>
  /** Keyed `gateway`: whether any route is admitted there. */
  readonly served: Step<'yes' | 'no'>
  /** Keyed `gateway`: hosts without routes that must not fall to a wildcard of others. */
  readonly reserved: Step<readonly Sealed[]>
}

export type Claims = ReadonlyMap<string, readonly Claim[]>

export type Placement =
  | { readonly kind: 'noGateway' }
  | { readonly kind: 'notAdmitted' }
  | {
      readonly kind: 'placed'
      /** Those that its namespace owns; may be none. */
      readonly hosts: readonly string[]
      readonly refused: readonly { readonly host: string; readonly because: string }[]
    }

/** Keys of two parts: neither has a space in it. */
export function pairOf(key: string): readonly [string, string] {
  const space = key.indexOf(' ')
  return [key.slice(0, space), key.slice(space + 1)]
}

interface RouteClaim extends Claim {
  readonly hosts: readonly string[]
  readonly gateways: readonly string[]
}

export function createPlacement(
  { memo, sealer }: Ingredients,
  { gateway, route }: InForceSteps,
): PlacementSteps {
  const admission = memo.step({
    name: 'admission',
    run(key, at): 'noGateway' | 'notAdmitted' | 'admitted' {
      const [gatewayKey, namespace] = pairOf(key)
      const value = at.ask(gateway, gatewayKey)
      if (value === null) return 'noGateway'
      const admitted = admits(value.allowedNamespaces, namespace, at.reader)
      return admitted === 'yes' ? 'admitted' : 'notAdmitted'
    },
  })
  const routeClaim = memo.step<RouteClaim | null>({
    name: 'claims of a route',
    same: sameJson,
    run(key, at): RouteClaim | null {
      const value = at.ask(route, key)
      return value === null ? null : claimOf(value)
    },
  })
  const claims = memo.step<Claims>({
    name: 'claims on a gateway',
    same: sameClaims,
    run: (gatewayKey, at): Claims =>
      claimsOn(gatewayKey, at, (key, namespace) =>
        at.ask(admission, `${gatewayKey} ${namespace}`) === 'admitted'
          ? at.ask(routeClaim, key)
          : null,
      ),
  })
  const hosts = hostSteps(memo, sealer, { gateway, route, claims })
  return {
    claims,
    ...hosts,
    served: memo.step<'yes' | 'no'>({
      name: 'served',
      run: (key, at) => (at.ask(claims, key).size > 0 ? 'yes' : 'no'),
    }),
    placement: memo.step<Placement>({
      name: 'placement',
      same: sameJson,
      run(key, at): Placement {
        const [gatewayKey, routeKey] = pairOf(key)
        const value = at.ask(routeClaim, routeKey)
        const { namespace } = namesOf(routeKey)
        const admitted = at.ask(admission, `${gatewayKey} ${namespace}`)
        if (admitted !== 'admitted') return { kind: admitted }
        return placed(value, (host) => at.ask(hosts.owner, `${gatewayKey} ${host}`))
      },
    }),
  }
}

function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function claimOf(route: RouteInForce): RouteClaim {
  const { namespace, name, createdMs } = route.resource
  return {
    namespace,
    name,
    createdMs,
    standing: route.runs === 'nothing' ? 'broken' : 'accepted',
    hosts: [...new Set(route.reading.hosts)],
    gateways: gatewayKeys(route),
  }
}

function claimsOn(
  gatewayKey: string,
  at: Recorder,
  claimBy: (route: string, namespace: string) => RouteClaim | null,
): Claims {
  const claims = new Map<string, Claim[]>()
  for (const [namespace, routes] of at.reader.all('ApiRoute')) {
    for (const name of routes.keys()) {
      const claim = claimBy(keyOf(namespace, name), namespace)
      if (claim === null || !claim.gateways.includes(gatewayKey)) continue
      addTo(claims, claim)
    }
  }
  return claims
}

function addTo(claims: Map<string, Claim[]>, claim: RouteClaim): void {
  for (const host of claim.hosts) {
    const others = claims.get(host)
    if (others === undefined) claims.set(host, [claim])
    else others.push(claim)
  }
}

function sameClaims(a: Claims, b: Claims): boolean {
  if (a.size !== b.size) return false
  for (const [host, list] of a) if (!sameItems(list, b.get(host) ?? [])) return false
  return true
}

function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i])
}

function placed(claim: RouteClaim | null, owner: (host: string) => Ownership): Placement {
  const hosts: string[] = []
  const refused: { host: string; because: string }[] = []
  for (const host of claim?.hosts ?? []) {
    const { namespace, because } = owner(host)
    if (namespace === claim?.namespace) hosts.push(host)
    else refused.push({ host, because })
  }
  return { kind: 'placed', hosts, refused }
}

// ---- hosts ----------------------------------------------------------------------------------

type HostReads = Pick<InForceSteps, 'gateway' | 'route'> & Pick<PlacementSteps, 'claims'>

function hostSteps(memo: Memo, sealer: Sealer, { gateway, route, claims }: HostReads) {
  const claimants = memo.step<readonly Claim[]>({
    name: 'claims on a host',
    same: sameItems,
    run(key, at): readonly Claim[] {
      const [gatewayKey, host] = pairOf(key)
      return at.ask(claims, gatewayKey).get(host) ?? []
    },
  })
  const owner = memo.step<Ownership>({
    name: 'owner of a host',
    same: sameJson,
    run(key, at): Ownership {
      const [gatewayKey, host] = pairOf(key)
      const rules = at.ask(gateway, gatewayKey)?.hostRules
      if (rules === undefined) return { namespace: null, because: '' }
      return ownerOf(host, (wider) => at.ask(claimants, `${gatewayKey} ${wider}`), rules)
    },
  })
  const entries = memo.step<readonly Ranked[]>({
    name: 'entries of a route',
    same: sameJson,
    run(key, at): readonly Ranked[] {
      const value = at.ask(route, key)
      return value === null ? [] : inPrecedence(rankedOf(value))
    },
  })
  const hostObject = memo.step<Sealed | null>({
    name: 'host object',
    same: sameSealed,
    run(key, at): Sealed | null {
      const [, host] = pairOf(key)
      const { namespace } = at.ask(owner, key)
      if (namespace === null) return null
      const own = at.ask(claimants, key).filter((claim) => claim.namespace === namespace)
      const ranked = own.flatMap((claim) => at.ask(entries, keyOf(claim.namespace, claim.name)))
      const listed = inPrecedence(ranked).map(({ rule, match }): HostEntry => ({ rule, match }))
      return sealer.seal({
        kind: 'host',
        key: host,
        sources: [],
        value: { namespace, entries: listed },
      })
    },
  })
  const reserved = memo.step<readonly Sealed[]>({
    name: 'reserved hosts',
    same: (a, b) => a.length === b.length && a.every((host, i) => sameSealed(host, b[i] ?? null)),
    run(gatewayKey, at) {
      const grants = at.ask(gateway, gatewayKey)?.hostRules.grants ?? new Map<string, string[]>()
      const ownerOfHost = (host: string): string | null =>
        at.ask(owner, `${gatewayKey} ${host}`).namespace
      return reservedHosts(at.ask(claims, gatewayKey), grants, ownerOfHost).map(
        ({ host, namespace }) =>
          sealer.seal({ kind: 'host', key: host, sources: [], value: { namespace, entries: [] } }),
      )
    },
  })
  return { owner, hostObject, reserved }
}

function rankedOf({ resource, reading }: RouteInForce): readonly Ranked[] {
  const { namespace, name, createdMs } = resource
  return reading.rules.flatMap(({ key, position, compiled }) =>
    compiled.matches.map(
      (match, i): Ranked => ({
        namespace,
        name,
        createdMs,
        position,
        rule: key,
        match: i,
        rank: rankOf(match),
      }),
    ),
  )
}

/**
 * Hosts that a grant gives to others than the owner of the wildcard over it, and that nobody has
 * taken yet: the table names them, so that their requests do not fall to the wildcard.
 */
function reservedHosts(
  claims: Claims,
  grants: ReadonlyMap<string, readonly string[]>,
  ownerOfHost: (host: string) => string | null,
): readonly { readonly host: string; readonly namespace: string }[] {
  return [...grants].flatMap(([host, namespaces]) => {
    const [first] = namespaces
    const wider = wildcardsOver(host).find((wildcard) => claims.has(wildcard))
    if (first === undefined || claims.has(host) || wider === undefined) return []
    const owner = ownerOfHost(wider)
    return owner === null || namespaces.includes(owner) ? [] : [{ host, namespace: first }]
  })
}
