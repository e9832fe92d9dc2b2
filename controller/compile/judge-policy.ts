/**
 * The verdict on a policy: at each of its targets, and as a whole. At a target it is not accepted
 * where the target does not exist or an older policy states the same, and not programmed where
 * something above closes everything that it states.
 * Pinned by judge-policy.test.ts: "the younger of two is told of the older, at that target only".
 */
import type { TargetRef } from '../../crds/reference.ts'
import { closedBy, conflictsOf, type PolicyShape } from './attach.ts'
import type { Judgement, TargetName, TargetVerdict } from './compiled.ts'
import {
  ACCEPTED,
  acceptance,
  isFailure,
  NOT_ACCEPTED,
  type Opinion,
  refused,
  refusedFor,
  updateRefused,
} from './judgement.ts'
import type { Recorder } from './memo.ts'
import { type PolicyInForce, type PolicyKind, policyRef } from './policy-in-force.ts'
import { FieldPath, type Problem } from './problem.ts'
import { keyOf, targetKey, targetOf } from './resolve.ts'
import { gatewayKeys } from './route-in-force.ts'
import type { Before } from './table.ts'

interface Scene {
  readonly at: Recorder
  readonly before: Before
}

export function judgePolicy(kind: PolicyKind, key: string, scene: Scene): Opinion | null {
  const ref = policyRef(kind, key)
  const policy = scene.at.ask(scene.before.inForce.policy, ref)
  const shape = scene.at.ask(scene.before.inForce.shape, ref)
  if (policy === null || shape === null) return null
  const places = policy.reading.targetRefs.map((target, position) =>
    placeOf({ policy, shape, target, position }, scene),
  )
  const problems = [...policy.problems, ...places.flatMap(({ problem }) => problem ?? [])]
  const works = places.some(({ verdict }) => verdict.accepted.status === 'True') ? 'some' : 'none'
  const accepted =
    policy.runs === 'lastValid'
      ? updateRefused(problems, policy.generation)
      : acceptance(problems, policy.runs === 'nothing' ? 'none' : works)
  const targets = places.map(({ verdict }) => verdict)
  return { resource: policy.resource, problems, accepted, targets, runs: policy.runs }
}

interface At {
  readonly policy: PolicyInForce
  readonly shape: PolicyShape
  readonly target: TargetRef
  readonly position: number
}

interface Place {
  readonly verdict: TargetVerdict
  /** Null where the problem, if any, is of the policy itself. */
  readonly problem: Problem | null
}

function placeOf(at: At, scene: Scene): Place {
  const target = targetOf(at.target, at.policy.resource.namespace)
  const problem = missing(at, target, scene) ?? conflict(at, target, scene)
  const gateways = gatewaysAt(at, target, scene)
  const own = at.policy.problems.find(isFailure)
  const nothing = at.policy.runs === 'nothing' && own !== undefined
  const accepted = acceptedAt(problem, nothing ? own : null)
  const gone = problem !== null && problem.reason !== 'Conflicted'
  const programmed = gone || nothing ? NOT_ACCEPTED : overridden(at, target, { ...scene, gateways })
  return { verdict: { target, accepted, gateways: gone ? [] : gateways, programmed }, problem }
}

function acceptedAt(problem: Problem | null, own: Problem | null): Judgement {
  if (own !== null) return refusedFor(own)
  return problem === null ? ACCEPTED : refusedFor(problem)
}

function pathOf({ position }: At): FieldPath<TargetRef> {
  return new FieldPath<{ targetRefs: readonly TargetRef[] }>('spec')
    .child('targetRefs')
    .index(position)
}

// ---- the target itself ----------------------------------------------------------------------

function missing(at: At, target: TargetName, { at: asked, before }: Scene): Problem | null {
  const { namespace } = at.policy.resource
  const path = pathOf(at)
  switch (at.target.kind) {
    case 'Namespace': {
      if (target.name === namespace) return null
      const sentence = `A policy can target only its own namespace; write "${namespace}", or create the policy in "${target.name}".`
      return path.child('name').problem('RefNotPermitted', sentence)
    }
    case 'ApiGateway': {
      if (asked.ask(before.inForce.gateway, keyOf(namespace, target.name)) !== null) return null
      const sentence = `There is no ApiGateway "${target.name}" in namespace "${namespace}"; a policy targets gateways of its own namespace.`
      return path.child('name').problem('TargetNotFound', sentence)
    }
    case 'ApiRoute':
      return missingRoute(at, target, { at: asked, before })
    default:
      return at.target.kind satisfies never
  }
}

function missingRoute(at: At, target: TargetName, scene: Scene): Problem | null {
  const { namespace, name, sectionName } = target
  const route = scene.at.ask(scene.before.inForce.route, keyOf(namespace, name))
  if (route === null) {
    const sentence = `There is no ApiRoute "${name}" in namespace "${namespace}"; create it, or correct the name.`
    return pathOf(at).child('name').problem('TargetNotFound', sentence)
  }
  if (sectionName === null || route.reading.rules.some((rule) => rule.name === sectionName)) {
    return null
  }
  const early = route.ruleNames.includes(sectionName)
  const sentence = early
    ? `ApiRoute "${name}" runs its last valid spec, which has no rule "${sectionName}"; mend the route.`
    : `ApiRoute "${name}" has no rule "${sectionName}", so its rules without another policy answer 503; correct the name.`
  return pathOf(at).child('sectionName').problem('TargetNotFound', sentence)
}

// ---- others at the target and above ---------------------------------------------------------

function conflict(at: At, target: TargetName, scene: Scene): Problem | null {
  const siblings = shapesAt(at.policy.kind, at.policy.resource.namespace, target, scene)
  const older = siblings.slice(0, siblings.indexOf(at.shape))
  const conflicts = conflictsOf(at.shape, older)
  const [first] = conflicts
  if (first === undefined) return null
  const { holder } = first
  const names = new Set(conflicts.filter((one) => one.holder === holder).map(({ name }) => name))
  const sentence = `${at.policy.kind} ${holder.namespace}/${holder.name}, which is older, already states ${[...names].join(', ')} here; remove it from one of the two.`
  return pathOf(at).problem('Conflicted', sentence)
}

/** Null: the data planes say whether it is programmed. */
function overridden(
  at: At,
  target: TargetName,
  scene: Scene & { readonly gateways: readonly string[] },
): Judgement | null {
  const closers = scene.gateways.map((gateway) =>
    closedBy(at.shape, shapesAbove(at, target, { ...scene, gateway })),
  )
  const [first] = closers
  if (first === undefined || first === null || closers.includes(null)) return null
  const message = `Overrides of ${at.policy.kind} ${first.namespace}/${first.name} close everything that it states here.`
  return refused('Overridden', message)
}

function shapesAbove(
  { policy }: At,
  target: TargetName,
  scene: Scene & { readonly gateway: string },
): readonly PolicyShape[] {
  const { kind, resource } = policy
  const slash = scene.gateway.indexOf('/')
  const [namespace, name] = [scene.gateway.slice(0, slash), scene.gateway.slice(slash + 1)]
  const whole = { sectionName: null }
  const above = [
    { at: 'ApiGateway', namespace, target: { kind: 'ApiGateway', namespace, name, ...whole } },
    {
      at: 'Namespace',
      namespace: resource.namespace,
      target: { kind: 'Namespace', namespace: '', name: resource.namespace, ...whole },
    },
    { at: 'ApiRoute', namespace: resource.namespace, target: { ...target, ...whole } },
  ]
  const reach =
    target.sectionName === null ? above.findIndex((one) => one.at === target.kind) : above.length
  return above.slice(0, reach).flatMap((one) => shapesAt(kind, one.namespace, one.target, scene))
}

function shapesAt(
  kind: PolicyKind,
  namespace: string,
  target: TargetName,
  { at, before }: Scene,
): readonly PolicyShape[] {
  const attached = at.ask(before.attached.here, `${kind} ${namespace} ${targetKey(target)}`) ?? []
  return attached
    .filter(({ sectionName }) => sectionName === target.sectionName)
    .map(({ shape }) => shape)
}

// ---- where it is carried --------------------------------------------------------------------

function gatewaysAt({ policy }: At, target: TargetName, scene: Scene): readonly string[] {
  const { namespace } = policy.resource
  switch (target.kind) {
    case 'ApiGateway': {
      const key = keyOf(namespace, target.name)
      return scene.at.ask(scene.before.placement.routes, key).length > 0 ? [key] : []
    }
    case 'Namespace': {
      const routes = [...scene.at.reader.list('ApiRoute', namespace).keys()]
      const keys = routes.flatMap((name) => gatewaysOfRoute(keyOf(namespace, name), scene))
      return [...new Set(keys)].toSorted()
    }
    default:
      return gatewaysOfRoute(keyOf(namespace, target.name), scene)
  }
}

function gatewaysOfRoute(key: string, { at, before }: Scene): readonly string[] {
  const route = at.ask(before.inForce.route, key)
  if (route === null) return []
  return gatewayKeys(route).filter((gateway) => {
    const placement = at.ask(before.tables.placement, `${gateway} ${key}`)
    return placement.kind === 'placed' && placement.hosts.length > 0
  })
}
