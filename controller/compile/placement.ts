/**
 * Where routes are served: which gateways admit them, who owns which host there, and what each host
 * lists in final precedence. The memo keeps all that an edit does not touch: a host is sorted again
 * only where one of its own entries changed.
 * Pinned by placement.test.ts: "only hosts touched are sorted again".
 */
import type { HostEntry } from '#wire/table'
import { type Chunks, chunksOf, keepChunks, sameItems } from './chunks.ts'
import type { InForceSteps, Ingredients } from './in-force.ts'
import { keepIf, type Step } from './memo.ts'
import {
  type Claim,
  type HostRules,
  ownerOf,
  type Ownership,
  refusalOf,
  wildcardsOver,
} from './ownership.ts'
import { inPrecedence, type Ranked, rankOf } from './precedence.ts'
import { admits, keyOf, namesOf } from './resolve.ts'
import { gatewayKeys, type RouteInForce } from './route-in-force.ts'
import { keepEach, keepSealed, type Sealed } from './seal.ts'

export interface PlacementSteps {
  /** Keyed `gateway route`: by admission and ownership alone, whether it fits or not. */
  readonly owned: Step<Placement>
  /** Keyed `gateway`: keys `gateway route` of the routes that it admits. */
  readonly routes: Step<Chunks>
  /** Keyed `gateway`: keys `gateway host` of the hosts that they name. */
  readonly hosts: Step<Chunks>
  /** Keyed `gateway host`; null where nobody owns it. */
  readonly hostObject: Step<Sealed | null>
  /** Keyed `gateway`: hosts without routes that must not fall to a wildcard of others. */
  readonly reserved: Step<readonly Sealed[]>
  /** Keyed `gateway host`: whose it is; null where nobody names it. */
  readonly view: Step<HostView | null>
}

export type Placement =
  | { readonly kind: 'noGateway' }
  | { readonly kind: 'notAdmitted' }
  | {
      readonly kind: 'placed'
      /** Those that its namespace owns; may be none. */
      readonly hosts: readonly string[]
      readonly refused: readonly RefusedHost[]
    }

export interface RefusedHost {
  readonly host: string
  readonly reason: 'HostNotOwned' | 'TooLarge'
  readonly because: string
}

/** Keys of two parts: the first has no space in it. */
export function pairOf(key: string): readonly [string, string] {
  const space = key.indexOf(' ')
  return [key.slice(0, space), key.slice(space + 1)]
}

/** All that hosts and gateways see of a route. */
interface Outline {
  readonly claim: RouteClaim
  readonly entries: readonly Ranked[]
}

interface RouteClaim extends Claim {
  readonly hosts: readonly string[]
  readonly gateways: readonly string[]
}

/** One host of a gateway: whose it is, and the routes of that namespace which name it. */
export interface HostView extends Ownership {
  readonly own: readonly Claim[]
}

type HostViews = ReadonlyMap<string, HostView>

type Admission = 'noGateway' | 'notAdmitted' | 'admitted'

export function createPlacement(from: Ingredients, inForce: InForceSteps): PlacementSteps {
  const { memo } = from
  const { gateway, route, keys } = inForce
  const admission = memo.step<Admission>({
    name: 'admission',
    run(key, at) {
      const [gatewayKey, namespace] = pairOf(key)
      const value = at.ask(gateway, gatewayKey)
      if (value === null) return 'noGateway'
      const admitted = admits(value.allowedNamespaces, namespace, at.reader)
      return admitted === 'yes' ? 'admitted' : 'notAdmitted'
    },
  })
  const outline = memo.step<Outline | null>({
    name: 'outline of a route',
    keep: keepOutline,
    run(key, at) {
      const value = at.ask(route, key)
      if (value === null) return null
      return { claim: claimOf(value), entries: inPrecedence(rankedOf(value)) }
    },
  })
  const claims = memo.step<Claimed>({
    name: 'claims on a gateway',
    turn: 'first',
    run(gatewayKey, at) {
      const claimed: Claimed = { byHost: new Map(), routes: [] }
      const admitted = new Map<string, Admission>()
      const admissionOf = (namespace: string): Admission => {
        const known = admitted.get(namespace) ?? at.ask(admission, `${gatewayKey} ${namespace}`)
        admitted.set(namespace, known)
        return known
      }
      for (const chunk of at.ask(keys, 'ApiRoute')) {
        for (const one of at.askAll(outline, chunk)) {
          if (one === null || !one.claim.gateways.includes(gatewayKey)) continue
          if (admissionOf(one.claim.namespace) === 'admitted') addTo(claimed, one.claim)
        }
      }
      return claimed
    },
  })
  const views = memo.step<HostViews>({
    name: 'hosts of a gateway',
    turn: 'first',
    keep: keepViews,
    run(gatewayKey, at) {
      const rules = at.ask(gateway, gatewayKey)?.hostRules ?? NO_RULES
      return viewsOf(at.ask(claims, gatewayKey), rules)
    },
  })
  const view = memo.entriesOf(views)
  return {
    owned: ownedStep(from, { outline, admission, view }),
    routes: memo.step<Chunks>({
      name: 'routes of a gateway',
      keep: keepChunks,
      run: (key, at) => chunksOf(at.ask(claims, key).routes.map((one) => `${key} ${one}`)),
    }),
    hosts: memo.step<Chunks>({
      name: 'keys of hosts',
      keep: keepChunks,
      run: (key, at) => chunksOf([...at.ask(views, key).keys()].map((host) => `${key} ${host}`)),
    }),
    hostObject: hostStep(from, { outline, view }),
    reserved: reservedStep(from, inForce, views),
    view,
  }
}

const NO_RULES: HostRules = { grants: new Map(), ungranted: 'refuse' }

// ---- one route ------------------------------------------------------------------------------

function claimOf(value: RouteInForce): RouteClaim {
  const { namespace, name, createdMs } = value.resource
  return {
    namespace,
    name,
    createdMs,
    standing: value.runs === 'nothing' ? 'broken' : 'accepted',
    hosts: [...new Set(value.reading.hosts)],
    gateways: gatewayKeys(value),
  }
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

function keepOutline(before: Outline | null, after: Outline | null): Outline | null {
  if (before === null || after === null) return after
  const claim = sameJson(before.claim, after.claim) ? before.claim : after.claim
  const entries = sameJson(before.entries, after.entries) ? before.entries : after.entries
  return claim === before.claim && entries === before.entries ? before : { claim, entries }
}

function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

interface PlacementReads {
  readonly outline: Step<Outline | null>
  readonly admission: Step<Admission>
  readonly view: Step<HostView | null>
}

function ownedStep({ memo }: Ingredients, reads: PlacementReads): Step<Placement> {
  return memo.step<Placement>({
    name: 'owned hosts',
    keep: keepIf<Placement>(sameJson),
    run(key, at) {
      const [gatewayKey, routeKey] = pairOf(key)
      const { namespace } = namesOf(routeKey)
      const admitted = at.ask(reads.admission, `${gatewayKey} ${namespace}`)
      if (admitted !== 'admitted') return { kind: admitted }
      const hosts: string[] = []
      const refused: RefusedHost[] = []
      for (const host of at.ask(reads.outline, routeKey)?.claim.hosts ?? []) {
        const view = at.ask(reads.view, `${gatewayKey} ${host}`)
        if (view?.namespace === namespace) {
          hosts.push(host)
          continue
        }
        const because = view === null ? '' : refusalOf(host, view)
        refused.push({ host, reason: 'HostNotOwned', because })
      }
      return { kind: 'placed', hosts, refused }
    },
  })
}

// ---- all hosts of a gateway -----------------------------------------------------------------

/** Grows while the routes of a gateway are looked through. */
interface Claimed {
  readonly byHost: Map<string, Claim[]>
  readonly routes: string[]
}

function addTo({ byHost, routes }: Claimed, claim: RouteClaim): void {
  routes.push(keyOf(claim.namespace, claim.name))
  for (const host of claim.hosts) {
    const others = byHost.get(host)
    if (others === undefined) byHost.set(host, [claim])
    else others.push(claim)
  }
}

function viewsOf({ byHost }: Claimed, rules: HostRules): HostViews {
  const views = new Map<string, HostView>()
  const wildcards = [...byHost.keys()].some((host) => host.startsWith('*.')) ? 'some' : 'none'
  const claims = { on: (host: string) => byHost.get(host) ?? NOBODY, wildcards } as const
  for (const [host, list] of byHost) {
    const owner = ownerOf(host, claims, rules)
    const own = list.filter((claim) => claim.namespace === owner.namespace)
    views.set(host, { ...owner, own })
  }
  return views
}

const NOBODY: readonly Claim[] = []

/** Views that say nothing new keep their identity, so that their hosts are not looked at. */
function keepViews(before: HostViews, after: HostViews): HostViews {
  let changed = before.size === after.size ? 0 : 1
  const views = new Map<string, HostView>()
  for (const [host, view] of after) {
    const earlier = before.get(host)
    const kept = earlier !== undefined && sameView(earlier, view) ? earlier : view
    if (kept !== earlier) changed += 1
    views.set(host, kept)
  }
  return changed === 0 ? before : views
}

function sameView(a: HostView, b: HostView): boolean {
  return a.first === b.first && a.grant?.host === b.grant?.host && sameItems(a.own, b.own)
}

// ---- objects --------------------------------------------------------------------------------

type HostReads = Pick<PlacementReads, 'outline' | 'view'>

function hostStep({ memo, sealer }: Ingredients, { outline, view }: HostReads) {
  return memo.step<Sealed | null>({
    name: 'host object',
    keep: keepSealed,
    run(key, at) {
      const [, host] = pairOf(key)
      const found = at.ask(view, key)
      if (found === null || found.namespace === null) return null
      const ranked = found.own.flatMap(
        ({ namespace, name }) => at.ask(outline, keyOf(namespace, name))?.entries ?? [],
      )
      const entries = inPrecedence(ranked).map(({ rule, match }): HostEntry => ({ rule, match }))
      const value = { namespace: found.namespace, entries }
      return sealer.seal({ kind: 'host', key: host, sources: [], value })
    },
  })
}

/**
 * Hosts that a grant gives to others than the owner of the wildcard over it, and that nobody has
 * taken yet: the table names them, so that their requests do not fall to the wildcard.
 */
function reservedStep(
  { memo, sealer }: Ingredients,
  { gateway }: InForceSteps,
  hosts: Step<HostViews>,
): Step<readonly Sealed[]> {
  return memo.step<readonly Sealed[]>({
    name: 'reserved hosts',
    keep: keepEach,
    run(gatewayKey, at) {
      const views = at.ask(hosts, gatewayKey)
      const grants = at.ask(gateway, gatewayKey)?.hostRules.grants ?? NO_RULES.grants
      return [...grants].flatMap(([host, namespaces]) => {
        const [namespace] = namespaces
        const wider = wildcardsOver(host).find((wildcard) => views.has(wildcard))
        if (namespace === undefined || views.has(host) || wider === undefined) return []
        const owner = views.get(wider)?.namespace ?? null
        if (owner === null || namespaces.includes(owner)) return []
        const value = { namespace, entries: [] }
        return [sealer.seal({ kind: 'host', key: host, sources: [], value })]
      })
    },
  })
}
