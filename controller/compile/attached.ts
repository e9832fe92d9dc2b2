/**
 * Finds the policies of each rule: those that target its gateway, its namespace, its route or itself,
 * and where the route runs its last valid spec, those that it had. What they make of the rule is
 * decided by attach.ts and effect.ts.
 * Pinned by had.test.ts: "a rule keeps its policy when both are renamed in an update that is invalid".
 */
import type { Source } from '#wire/value'
import { type AtLevels, inEffect, type Level, LEVELS, type PolicyShape } from './attach.ts'
import type { TargetName } from './compiled.ts'
import { type Effect, effectOf } from './effect.ts'
import type { InForceSteps, Ingredients } from './in-force.ts'
import { keepIf, type Recorder, type Step } from './memo.ts'
import { pairOf } from './placement.ts'
import {
  objectsOf,
  POLICY_KINDS,
  type PolicyObject,
  policyAsItWas,
  type PolicyInForce,
  type PolicyKind,
  policyRef,
  sameShape,
  tightening,
} from './policy-in-force.ts'
import { oldestFirst } from './precedence.ts'
import { keyOf, namesOf, targetKey, targetOf } from './resolve.ts'
import type { RouteInForce, RuleInForce } from './route-in-force.ts'
import { sourceOf } from './seal.ts'
import type { RememberedPolicy } from './snapshot.ts'

/** One policy at one target; a route's rules are kept under the route. */
export interface Attached {
  readonly shape: PolicyShape
  readonly sectionName: string | null
}

export interface AttachedSteps {
  /** Keyed `Kind namespace TargetKind/name`: the policies there, the oldest first; null: none. */
  readonly here: Step<readonly Attached[] | null>
  /** Keyed `gateway route`: rule key → what its policies make of it. */
  readonly effects: Step<ReadonlyMap<string, RuleEffect>>
  /** Keyed by the ref of a shape: the objects of the policy. */
  readonly objects: Step<ReadonlyMap<string, PolicyObject>>
  /** Likewise: the policy as a source of table objects. */
  readonly source: Step<Source | null>
}

export interface RuleEffect extends Effect {
  /** Refs of policies that attach without an object of theirs in use: the rule carries them. */
  readonly carries: readonly string[]
}

type Targets = ReadonlyMap<string, readonly Attached[]>

export function createAttached(from: Ingredients, inForce: InForceSteps): AttachedSteps {
  const { memo, steps, sealer } = from
  const targets = memo.step<Targets>({
    name: 'targets in a namespace',
    turn: 'first',
    keep: keepTargets,
    run(key, at) {
      const [kind, namespace] = pairOf(key)
      return targetsIn(kind === 'AuthPolicy' ? kind : 'RateLimitPolicy', namespace, { at, inForce })
    },
  })
  const here = memo.entriesOf(targets)
  const had = memo.step<PolicyInForce | null>({
    name: 'policy as it was',
    run(key, at) {
      const [routeKey, number] = pairOf(key)
      const policy = at.ask(inForce.route, routeKey)?.memory?.policies?.[Number(number)]
      return policy === undefined ? null : policyAsItWas(policy, `${HAD}${key}`, at.reader, steps)
    },
  })
  const hadShape = memo.step<PolicyShape | null>({
    name: 'policy shape as it was',
    keep: keepIf(sameShape),
    run(key, at) {
      const policy = at.ask(had, key)
      return policy === null ? null : tightening(policy)
    },
  })
  const effects = memo.step<ReadonlyMap<string, RuleEffect>>({
    name: 'effects of policies',
    keep: keepIf(sameEffects),
    run(key, at) {
      const [gatewayKey, routeKey] = pairOf(key)
      const route = at.ask(inForce.route, routeKey)
      const auth = at.ask(inForce.gateway, gatewayKey)?.auth ?? 'required'
      if (route === null) return new Map<string, RuleEffect>()
      const around = surroundings(at, { gatewayKey, routeKey, route, here, hadShape })
      return new Map(
        route.reading.rules.map((rule) => {
          const absence = rule.public === 'yes' || auth === 'optional' ? 'allowed' : 'refused'
          return [rule.key, ruleEffect(rule, route, { around, absence })]
        }),
      )
    },
  })
  const find = (at: Recorder, ref: string): PolicyInForce | null =>
    ref.startsWith(HAD) ? at.ask(had, ref.slice(HAD.length)) : at.ask(inForce.policy, ref)
  const objects = memo.step<ReadonlyMap<string, PolicyObject>>({
    name: 'objects of a policy',
    run(ref, at) {
      const policy = find(at, ref)
      return policy === null ? new Map<string, PolicyObject>() : objectsOf(policy, sealer)
    },
  })
  const source = memo.step<Source | null>({
    name: 'policy as a source',
    keep: keepIf((a, b) => JSON.stringify(a) === JSON.stringify(b)),
    run(ref, at) {
      const policy = find(at, ref)
      return policy === null ? null : sourceOf(policy.resource, policy.generation)
    },
  })
  return { here, effects, objects, source }
}

/** Refs of policies as a route had them: the rest is the key of their step. */
const HAD = 'had '

const NONE: readonly Attached[] = []

/** Lists that say nothing new keep their identity, so that their targets are not looked at. */
function keepTargets(before: Targets, after: Targets): Targets {
  const kept = [...after].map(([target, list]): [string, readonly Attached[]] => {
    const earlier = before.get(target)
    return [target, earlier !== undefined && sameAttached(earlier, list) ? earlier : list]
  })
  return new Map(kept)
}

function sameAttached(a: readonly Attached[], b: readonly Attached[]): boolean {
  return (
    a.length === b.length &&
    a.every((one, i) => one.shape === b[i]?.shape && one.sectionName === b[i].sectionName)
  )
}

function sameEffects(
  a: ReadonlyMap<string, RuleEffect>,
  b: ReadonlyMap<string, RuleEffect>,
): boolean {
  return JSON.stringify([...a]) === JSON.stringify([...b])
}

interface Asking {
  readonly at: Recorder
  readonly inForce: InForceSteps
}

/** All targets are in the policy's own namespace, so that one namespace can be listed by itself. */
function targetsIn(kind: PolicyKind, namespace: string, { at, inForce }: Asking): Targets {
  const policies = new Map<PolicyShape, PolicyInForce>()
  for (const name of at.reader.list(kind, namespace).keys()) {
    const ref = policyRef(kind, keyOf(namespace, name))
    const policy = at.ask(inForce.policy, ref)
    const shape = at.ask(inForce.shape, ref)
    if (policy !== null && shape !== null) policies.set(shape, policy)
  }
  const found = new Map<string, Attached[]>()
  for (const shape of oldestFirst([...policies.keys()])) {
    for (const target of targetsOf(policies.get(shape), namespace)) {
      const attached = { shape, sectionName: target.sectionName }
      found.set(targetKey(target), [...(found.get(targetKey(target)) ?? []), attached])
    }
  }
  return found
}

/** Another namespace is no target. */
function targetsOf(policy: PolicyInForce | undefined, namespace: string): readonly TargetName[] {
  return (policy?.reading.targetRefs ?? [])
    .map((ref) => targetOf(ref, namespace))
    .filter((target) => target.kind !== 'Namespace' || target.name === namespace)
}

// ---- what surrounds a route -----------------------------------------------------------------

interface Surroundings {
  readonly gateway: readonly Attached[]
  readonly namespace: readonly Attached[]
  /** Also those of single rules. */
  readonly route: readonly Attached[]
  readonly had: readonly Had[]
}

/** A policy that the last valid route had, with the place at which it had it. */
interface Had {
  readonly shape: PolicyShape
  readonly level: Level
  readonly sectionName: string | null
  readonly kind: PolicyKind
}

type Around = { readonly [K in PolicyKind]: Surroundings }

interface Asked {
  readonly gatewayKey: string
  readonly routeKey: string
  readonly route: RouteInForce
  readonly here: Step<readonly Attached[] | null>
  readonly hadShape: Step<PolicyShape | null>
}

function surroundings(at: Recorder, asked: Asked): Around {
  const had = hadBy(at, asked)
  const gateway = namesOf(asked.gatewayKey)
  const route = namesOf(asked.routeKey)
  const of = (kind: PolicyKind): Surroundings => {
    const find = (namespace: string, target: string): readonly Attached[] =>
      at.ask(asked.here, `${kind} ${namespace} ${target}`) ?? NONE
    return {
      gateway: find(gateway.namespace, targetKey({ kind: 'ApiGateway', name: gateway.name })),
      namespace: find(route.namespace, targetKey({ kind: 'Namespace', name: route.namespace })),
      route: find(route.namespace, targetKey({ kind: 'ApiRoute', name: route.name })),
      had: had.filter((policy) => policy.kind === kind),
    }
  }
  return { AuthPolicy: of('AuthPolicy'), RateLimitPolicy: of('RateLimitPolicy') }
}

function hadBy(at: Recorder, { gatewayKey, routeKey, route, hadShape }: Asked): readonly Had[] {
  return (route.memory?.policies ?? []).flatMap((policy, i) => {
    const shape = at.ask(hadShape, `${routeKey} ${i}`)
    const level = levelOf(policy.target, gatewayKey)
    if (shape === null || level === null) return []
    return [{ shape, level, sectionName: policy.target.sectionName, kind: policy.kind }]
  })
}

/** Null: it stood at another gateway. */
function levelOf(target: RememberedPolicy['target'], gatewayKey: string): Level | null {
  switch (target.kind) {
    case 'ApiGateway':
      return keyOf(target.namespace, target.name) === gatewayKey ? 'gateway' : null
    case 'Namespace':
      return 'namespace'
    case 'ApiRoute':
      return target.sectionName === null ? 'route' : 'rule'
    default:
      return target.kind satisfies never
  }
}

// ---- one rule -------------------------------------------------------------------------------

interface Scene {
  readonly around: Around
  readonly absence: 'allowed' | 'refused'
}

function ruleEffect(
  rule: RuleInForce,
  route: RouteInForce,
  { around, absence }: Scene,
): RuleEffect {
  const found = POLICY_KINDS.map((kind) => policiesOf(rule, route, around[kind]))
  const [auth, limits] = found
  if (auth === undefined || limits === undefined) throw new TypeError('there are two policy kinds')
  const effect = effectOf(
    {
      auth: inEffect(auth.at),
      limits: inEffect(limits.at),
      astray: [...auth.astray, ...limits.astray],
    },
    absence,
  )
  const used = new Set(effect.uses.map(({ ref }) => ref))
  const attached = found.flatMap(({ at }) => LEVELS.flatMap((level) => at[level]))
  const idle = attached.filter(({ ref }) => !used.has(ref)).map(({ ref }) => ref)
  return { ...effect, carries: [...new Set([...idle, ...effect.refusedBy])] }
}

interface PoliciesOfRule {
  readonly at: AtLevels
  readonly astray: readonly PolicyShape[]
}

function policiesOf(rule: RuleInForce, route: RouteInForce, around: Surroundings): PoliciesOfRule {
  const now: AtLevels = {
    gateway: around.gateway.map(({ shape }) => shape),
    namespace: around.namespace.map(({ shape }) => shape),
    route: around.route.filter(({ sectionName }) => sectionName === null).map(({ shape }) => shape),
    rule: around.route
      .filter(({ sectionName }) => sectionName === rule.name)
      .map(({ shape }) => shape),
  }
  const at = withHad(
    now,
    around.had.filter(({ sectionName }) => appliesTo(sectionName, rule)),
  )
  const others = LEVELS.some((level) => at[level].length > 0)
  return { at, astray: others ? [] : astrayOf(route, around) }
}

function appliesTo(sectionName: string | null, rule: RuleInForce): boolean {
  return sectionName === null || sectionName === rule.name
}

/** Those that still attach to the rule say what they say now; the others come after them. */
function withHad(now: AtLevels, had: readonly Had[]): AtLevels {
  if (had.length === 0) return now
  const present = new Set(LEVELS.flatMap((level) => now[level].map(identityOf)))
  const gone = had.filter(({ shape }) => !present.has(identityOf(shape)))
  const at = (level: Level): readonly PolicyShape[] => [
    ...now[level],
    ...oldestFirst(gone.filter((policy) => policy.level === level).map(({ shape }) => shape)),
  ]
  return {
    gateway: at('gateway'),
    namespace: at('namespace'),
    route: at('route'),
    rule: at('rule'),
  }
}

function identityOf({ namespace, name }: PolicyShape): string {
  return keyOf(namespace, name)
}

/** A rule that only the newest, invalid spec has is not missing: the policy is early. */
function astrayOf(route: RouteInForce, { route: attached }: Surroundings): readonly PolicyShape[] {
  return attached
    .filter(({ sectionName }) => sectionName !== null && !route.ruleNames.includes(sectionName))
    .map(({ shape }) => shape)
}
