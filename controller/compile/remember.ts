/**
 * What the next snapshot has to remember: the spec of every route and policy that is valid in itself
 * now, with the policies that apply to a route; and for those that are not, what was remembered before.
 * Pinned by remember.test.ts: "a valid spec is remembered with the policies that apply to it".
 */
import type { AttachedSteps } from './attached.ts'
import type { Remembering } from './compiled.ts'
import type { InForceSteps, Ingredients } from './in-force.ts'
import { type InForce, isOwnFailure, type Reading } from './last-valid.ts'
import type { Recorder, Step } from './memo.ts'
import { POLICY_KINDS, type PolicyInForce, policyRef } from './policy-in-force.ts'
import { inOrderOfText } from './precedence.ts'
import { allKeys, idOf, namesOf, targetKey } from './resolve.ts'
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
    same: sameMemory,
    run(key, at) {
      const route = at.ask(inForce.route, key)
      if (route === null) return null
      return rememberedOf(route, () => policiesOf(route, { at, inForce, attached }))
    },
  })
  const ofPolicy = memo.step<Remembered | null>({
    name: 'remembered policy',
    same: sameMemory,
    run(ref, at) {
      const policy = at.ask(inForce.policy, ref)
      return policy === null ? null : rememberedOf(policy, () => null)
    },
  })
  const remembered = memo.step<ReadonlyMap<string, Remembered>>({
    name: 'remembered',
    run(_, at) {
      const memories = new Map<string, Remembered>()
      for (const key of allKeys('ApiRoute', at.reader)) {
        const memory = at.ask(ofRoute, key)
        if (memory !== null) memories.set(idOf('ApiRoute', key), memory)
      }
      for (const kind of POLICY_KINDS) {
        for (const key of allKeys(kind, at.reader)) {
          const memory = at.ask(ofPolicy, policyRef(kind, key))
          if (memory !== null) memories.set(idOf(kind, key), memory)
        }
      }
      return memories
    },
  })
  return { remembered, remembering: rememberingStep(memo, inForce) }
}

function rememberingStep(
  memo: Ingredients['memo'],
  inForce: InForceSteps,
): Step<readonly Remembering[]> {
  return memo.step<readonly Remembering[]>({
    name: 'remembering',
    run(_, at) {
      const routes = allKeys('ApiRoute', at.reader).map((key) => at.ask(inForce.route, key))
      const policies = POLICY_KINDS.flatMap((kind) =>
        allKeys(kind, at.reader).map((key) => at.ask(inForce.policy, policyRef(kind, key))),
      )
      const all = [...routes, ...policies].flatMap((one) => {
        if (one === null || one.memory === null) return []
        const { kind, namespace, name } = one.resource
        return [{ ...one.memory, kind, namespace, name }]
      })
      return inOrderOfText(all, ({ kind, namespace, name }) => resourceId(kind, namespace, name))
    },
  })
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
