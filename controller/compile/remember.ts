/**
 * What the next snapshot has to remember: the spec of every route and policy that is valid in itself
 * now, with the policies that apply to a route; and for those that are not, what was remembered before.
 * Pinned by remember.test.ts: "a valid spec is remembered with the policies that apply to it".
 */
import type { AttachedSteps } from './attached.ts'
import { sameItems } from './chunks.ts'
import type { Remembering } from './compiled.ts'
import type { InForceSteps, Ingredients } from './in-force.ts'
import { type InForce, isOwnFailure, type Reading } from './last-valid.ts'
import { keepIf, type Recorder, type Step } from './memo.ts'
import { POLICY_KINDS, type PolicyInForce, type PolicyKind, policyRef } from './policy-in-force.ts'
import { inOrderOfText } from './precedence.ts'
import { namesOf, targetKey } from './resolve.ts'
import { gatewayKeys, type RouteInForce } from './route-in-force.ts'
import { type Remembered, type RememberedPolicy, resourceId } from './snapshot.ts'

export interface RememberSteps {
  /** Keyed '': by resourceId. */
  readonly remembered: Step<ReadonlyMap<string, Remembered>>
  /** Keyed '': those of which the remembered spec runs. */
  readonly remembering: Step<readonly Remembering[]>
}

/** An object that runs or may be remembered, by its resourceId. */
interface Entry {
  readonly id: string
  readonly memory: Remembered | null
  /** Set where the remembered spec is the one that runs. */
  readonly running: Remembering | null
}

export function createRemember(
  { memo }: Ingredients,
  inForce: InForceSteps,
  attached: AttachedSteps,
): RememberSteps {
  const ofRoute = memo.step<Entry | null>({
    name: 'remembered route',
    keep: keepIf(sameEntry),
    run(key, at) {
      const route = at.ask(inForce.route, key)
      if (route === null) return null
      return entryOf(route, () => policiesOf(route, { at, inForce, attached }))
    },
  })
  const ofPolicy = {
    AuthPolicy: policyStep(memo, inForce, 'AuthPolicy'),
    RateLimitPolicy: policyStep(memo, inForce, 'RateLimitPolicy'),
  }
  const entries = (at: Recorder): readonly (Entry | null)[] => [
    ...at.ask(inForce.keys, 'ApiRoute').flatMap((chunk) => at.askAll(ofRoute, chunk)),
    ...POLICY_KINDS.flatMap((kind) =>
      at.ask(inForce.keys, kind).flatMap((chunk) => at.askAll(ofPolicy[kind], chunk)),
    ),
  ]
  return {
    remembered: memo.step<ReadonlyMap<string, Remembered>>({
      name: 'remembered',
      run(_, at) {
        const memories = new Map<string, Remembered>()
        for (const entry of entries(at)) {
          if (entry !== null && entry.memory !== null) memories.set(entry.id, entry.memory)
        }
        return memories
      },
    }),
    remembering: memo.step<readonly Remembering[]>({
      name: 'remembering',
      keep: keepIf(sameItems),
      run(_, at) {
        const running = entries(at).flatMap((entry) => entry?.running ?? [])
        return inOrderOfText(running, (one) => resourceId(one.kind, one.namespace, one.name))
      },
    }),
  }
}

function policyStep(
  memo: Ingredients['memo'],
  inForce: InForceSteps,
  kind: PolicyKind,
): Step<Entry | null> {
  return memo.step<Entry | null>({
    name: `remembered ${kind}`,
    keep: keepIf(sameEntry),
    run(key, at) {
      const policy = at.ask(inForce.policy, policyRef(kind, key))
      return policy === null ? null : entryOf(policy, () => null)
    },
  })
}

function entryOf(one: InForce<Reading>, policies: () => readonly RememberedPolicy[] | null): Entry {
  const { kind, namespace, name } = one.resource
  const running = one.memory === null ? null : { ...one.memory, kind, namespace, name }
  return { id: resourceId(kind, namespace, name), memory: rememberedOf(one, policies), running }
}

function sameEntry(a: Entry | null, b: Entry | null): boolean {
  if (a === null || b === null) return a === b
  return sameMemory(a.memory, b.memory) && (a.running === null) === (b.running === null)
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
      (
        scene.at.ask(scene.attached.here, `${kind} ${target.namespace} ${targetKey(target)}`) ?? []
      ).flatMap(({ shape, sectionName }) => {
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
