/**
 * The verdict on an ApiRoute: on each gateway that it names, and as a whole.
 * Pinned by judge-route.test.ts: "a host of another namespace is told with its owner".
 */
import type { ApiRouteSpec } from '../../crds/api-route.ts'
import type { Judgement, TargetVerdict } from './compiled.ts'
import {
  acceptance,
  isFailure,
  NOT_ACCEPTED,
  type Opinion,
  refusedFor,
  updateRefused,
} from './judgement.ts'
import type { Recorder } from './memo.ts'
import { ANY_HOST } from './ownership.ts'
import type { Placement } from './placement.ts'
import { FieldPath, type Problem } from './problem.ts'
import { type GatewayNamed, keyOf } from './resolve.ts'
import type { RouteInForce, RuleInForce } from './route-in-force.ts'
import type { Before } from './table.ts'

const SPEC = new FieldPath<ApiRouteSpec>('spec')

export function judgeRoute(key: string, at: Recorder, before: Before): Opinion | null {
  const route = at.ask(before.inForce.route, key)
  if (route === null) return null
  const places = route.reading.gateways.map((gateway) =>
    placeOf(route, gateway, { key, at, before }),
  )
  const problems = [...route.problems, ...distinct(places.flatMap((place) => place.problems))]
  const works = places.some((place) => place.works === 'yes') ? 'some' : 'none'
  const accepted =
    route.runs === 'lastValid'
      ? updateRefused(problems, route.generation)
      : acceptance(problems, works)
  const targets = places.map((place) => targetOf(place, route, accepted))
  return { resource: route.resource, problems, accepted, targets, runs: route.runs }
}

interface Scene {
  readonly key: string
  readonly at: Recorder
  readonly before: Before
}

/** A route on one of its gateways. */
interface Place {
  readonly gateway: GatewayNamed
  readonly problems: readonly Problem[]
  /** Why it is not served there at all. */
  readonly absent: Problem | null
  /** `yes`: at least one of its rules does there what it says. */
  readonly works: 'yes' | 'no'
}

function placeOf(route: RouteInForce, gateway: GatewayNamed, { key, at, before }: Scene): Place {
  const gatewayKey = keyOf(gateway.namespace, gateway.name)
  const placement = at.ask(before.tables.placement, `${gatewayKey} ${key}`)
  const problems = [
    ...placementProblems(route, gateway, placement),
    ...at.ask(before.tls.problems, `${gatewayKey} ${key}`),
  ]
  if (placement.kind !== 'placed' || placement.hosts.length === 0) {
    return { gateway, problems, absent: problems[0] ?? null, works: 'no' }
  }
  const effects = at.ask(before.attached.effects, `${gatewayKey} ${key}`)
  const missing = new Set<string>()
  for (const [rule, { auth }] of effects) {
    if (auth.kind === 'reject' && auth.cause === 'policy-missing') missing.add(rule)
  }
  const works = route.reading.rules.some(
    (rule) => doesWhatItSays(rule) && effects.get(rule.key)?.auth.kind !== 'reject',
  )
  return {
    gateway,
    problems: [...problems, ...missingPolicies(route.reading.rules, missing)],
    absent: null,
    works: works ? 'yes' : 'no',
  }
}

function doesWhatItSays({ compiled: { action } }: RuleInForce): boolean {
  if (action.kind === 'reject') return false
  return action.kind !== 'proxy' || action.backends.some(({ to }) => to.kind === 'backend')
}

function placementProblems(
  route: RouteInForce,
  gateway: GatewayNamed,
  placement: Placement,
): readonly Problem[] {
  const name = `ApiGateway "${gateway.name}" in namespace "${gateway.namespace}"`
  const place =
    gateway.position === null
      ? SPEC.child('gateways')
      : SPEC.child('gateways').index(gateway.position)
  switch (placement.kind) {
    case 'noGateway': {
      const sentence = `There is no ${name}; create it, or correct the name.`
      return [place.problem('TargetNotFound', sentence)]
    }
    case 'notAdmitted': {
      const sentence = `${name} does not serve routes of namespace "${route.resource.namespace}"; ask its operator to add the labels of allowedNamespaces.`
      return [place.problem('RefNotPermitted', sentence)]
    }
    case 'placed':
      return placement.refused.map(({ host, reason, because }) =>
        hostPath(route, host).problem(reason, because),
      )
    default:
      return placement satisfies never
  }
}

function hostPath(route: RouteInForce, host: string): FieldPath<unknown> {
  const hosts = SPEC.child('hosts')
  return host === ANY_HOST ? hosts : hosts.index(route.reading.hosts.indexOf(host))
}

function missingPolicies(
  rules: readonly RuleInForce[],
  missing: ReadonlySet<string>,
): readonly Problem[] {
  return rules
    .filter((rule) => missing.has(rule.key))
    .map((rule) =>
      SPEC.child('rules')
        .index(rule.position)
        .problem(
          'PolicyMissing',
          `No AuthPolicy says who may call rule "${rule.name}", so it answers 503; target it with one, or write public: true.`,
        ),
    )
}

/** Two gateways can say the same of one rule. */
function distinct(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()]
}

function targetOf(place: Place, route: RouteInForce, whole: Judgement): TargetVerdict {
  const { gateway, absent } = place
  const { namespace, name } = gateway
  const problems = [...route.problems, ...place.problems].filter(isFailure)
  const works = place.works === 'yes' ? 'some' : 'none'
  const accepted =
    absent !== null
      ? refusedFor(absent)
      : route.runs === 'lastValid'
        ? whole
        : acceptance(problems, works)
  const served = absent === null && route.runs !== 'nothing'
  return {
    target: { kind: 'ApiGateway', namespace, name, sectionName: null },
    accepted,
    gateways: absent === null ? [keyOf(namespace, name)] : [],
    programmed: served ? null : NOT_ACCEPTED,
  }
}
