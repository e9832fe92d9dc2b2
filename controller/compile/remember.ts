/**
 * What the next snapshot has to remember: the spec of every route and policy that is valid in itself
 * now, with the policies that apply to a route; and for those that are not, what was remembered before.
 * Pinned by remember.test.ts: "a valid spec is remembered with the policies that apply to it".
 */
import type { AttachedSteps } from './attached.ts'
import type { Remembering } from './compiled.ts'
import type { InForceSteps, Ingredients } from './in-force.ts'
import { type InForce, isOwnFailure, type Reading } from './last-valid.ts'
import { keepIf, type Recorder, type Step } from './memo.ts'
import { POLICY_KINDS, type PolicyInForce, policyRef } from './policy-in-force.ts'
import { inOrderOfText } from './precedence.ts'
import { idOf, namesOf, targetKey } from './resolve.ts'
import { gatewayKeys, type RouteInForce } from './route-in-force.ts'
import { type Remembered, type RememberedPolicy, resourceId } from './snapshot.ts'

export interface RememberSteps {
  /** Keyed '': by resourceId. */
  readonly remembered: Step<ReadonlyMap<string, Remembered>>
  /** Keyed '': those of which the remembered spec runs. */
  readonly remembering: Step<readonly Remembering[]>
}

export function createRemember(
  { memo }: Ingredients,
  inForce: InForceSteps,
  attached: AttachedSteps,
): RememberSteps {
  const ofRoute = memo.step<Remembered | null>({
    name: 'remembered route',
    keep: keepIf(sameMemory),
    run(key, at) {
      const route = at.ask(inForce.route, key)
      if (route === null) return null
      return rememberedOf(route, () => policiesOf(route, { at, inForce, attached }))
    },
  })
  const ofPolicy = memo.step<Remembered | null>({
    name: 'remembered policy',
    keep: keepIf(sameMemory),
    run(ref, at) {
      const policy = at.ask(inForce.policy, ref)
      return policy === null ? null : rememberedOf(policy, () => null)
    },
  })
  const { routeIds, policyRefs } = idSteps(memo, inForce)
  const remembered = memo.step<ReadonlyMap<string, Remembered>>({
    name: 'remembered',
    run(_, at) {
      const memories = new Map<string, Remembered>()
      const routes = at.ask(inForce.keys, 'ApiRoute')
      const refs = at.ask(policyRefs, '')
      put(memories, at.ask(routeIds, ''), at.askAll(ofRoute, routes))
      put(memories, refs, at.askAll(ofPolicy, refs))
      return memories
    },
  })
  const remembering = memo.step<readonly Remembering[]>({
    name: 'remembering',
    run(_, at) {
      const routes = at.askAll(inForce.route, at.ask(inForce.keys, 'ApiRoute'))
      const policies = at.askAll(inForce.policy, at.ask(policyRefs, ''))
      const all = [...routes, ...policies].flatMap((one) => {
        if (one === null || one.memory === null) return []
        const { kind, namespace, name } = one.resource
        return [{ ...one.memory, kind, namespace, name }]
      })
      return inOrderOfText(all, ({ kind, namespace, name }) => resourceId(kind, namespace, name))
    },
  })
  return { remembered, remembering }
}

/** What memories are kept under; for policies that is their ref. */
function idSteps(memo: Ingredients['memo'], inForce: InForceSteps) {
  const routeIds = memo.step<readonly string[]>({
    name: 'ids of routes',
    run: (_, at) => at.ask(inForce.keys, 'ApiRoute').map((key) => idOf('ApiRoute', key)),
  })
  const policyRefs = memo.step<readonly string[]>({
    name: 'refs of policies',
    run: (_, at) =>
      POLICY_KINDS.flatMap((kind) => at.ask(inForce.keys, kind).map((key) => policyRef(kind, key))),
  })
  return { routeIds, policyRefs }
}

function put(
  memories: Map<string, Remembered>,
  ids: readonly string[],
  values: readonly (Remembered | null)[],
): void {
  for (const [i, id] of ids.entries()) {
    const memory = values[i] ?? null
    if (memory !== null) memories.set(id, memory)
  }
}

function rememberedOf(
  one: InForce<Reading>,
  policies: () => readonly RememberedPolicy[] | null,
): Remembered | null {
  if (one.memory !== null) return one.memory
  if (one.problems.some(isOwnFailure)) return null
  const attached = policies()
  const { generation, spec, resource } = one
  return {
    uid: resource.uid,
    generation,
    spec,
    ...(attached === null ? {} : { policies: attached }),
  }
}

function sameMemory(a: Remembered | null, b: Remembered | null): boolean {
  if (a === null || b === null) return a === b
  const [some, others] = [a.policies ?? [], b.policies ?? []]
  return (
    a.uid === b.uid &&
    a.generation === b.generation &&
    a.spec === b.spec &&
    some.length === others.length &&
    some.every((policy, i) => samePolicy(policy, others[i]))
  )
}

function samePolicy(a: RememberedPolicy, b: RememberedPolicy | undefined): boolean {
  if (b === undefined || a.spec !== b.spec) return false
  const { spec: _, ...rest } = a
  const { spec: __, ...others } = b
  return JSON.stringify(rest) === JSON.stringify(others)
}

// ---- the policies of a route ----------------------------------------------------------------

interface Scene {
  readonly at: Recorder
  readonly inForce: InForceSteps
  readonly attached: AttachedSteps
}

function policiesOf(route: RouteInForce, scene: Scene): readonly RememberedPolicy[] {
  const { namespace, name } = route.resource
  const targets = [
    ...gatewayKeys(route).map((key) => ({ kind: 'ApiGateway', ...namesOf(key) }) as const),
    { kind: 'Namespace', namespace, name: namespace } as const,
    { kind: 'ApiRoute', namespace, name } as const,
  ]
  return targets.flatMap((target) =>
    POLICY_KINDS.flatMap((kind) =>
      scene.at
        .ask(scene.attached.here, `${kind} ${target.namespace} ${targetKey(target)}`)
        .flatMap(({ shape, sectionName }) => {
          const policy = scene.at.ask(scene.inForce.policy, shape.ref)
          if (policy === null || policy.runs === 'nothing') return []
          return [remember(policy, { ...target, sectionName })]
        }),
    ),
  )
}

function remember(policy: PolicyInForce, target: RememberedPolicy['target']): RememberedPolicy {
  const { kind, generation, spec, resource } = policy
  const { namespace, name, uid, createdMs } = resource
  return { kind, namespace, name, uid, generation, createdMs, spec, target }
}
