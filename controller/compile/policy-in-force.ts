/**
 * An AuthPolicy or RateLimitPolicy as it runs: the spec in force with what its defaults and overrides
 * state, and the objects of a table that they become. A policy of which anything cannot be enforced
 * is unusable as a whole: its targets answer 503 rather than be half closed.
 * Pinned by policy-in-force.test.ts: "a policy that is invalid in any part is unusable".
 */
import type { AuthPolicyPart } from '../../crds/auth-policy.ts'
import type { SpecOf } from '../../crds/kinds.ts'
import type { RateLimitPolicyPart } from '../../crds/rate-limit-policy.ts'
import type { TargetRef } from '../../crds/reference.ts'
import { objectId } from '#wire/table'
import type { Source } from '#wire/value'
import {
  type Effective,
  type PolicyShape,
  type Stated,
  STRENGTHS,
  type Strength,
  type Unit,
  UNITS,
} from './attach.ts'
import { overspent } from './expression-budget.ts'
import { type InForce, inForce, type Reading } from './last-valid.ts'
import { type Checked, FieldPath, type Problem } from './problem.ts'
import type { Reader } from './reader.ts'
import { grantsBy, namesOf } from './resolve.ts'
import { type Read, readSpec, salvageTargets } from './salvage.ts'
import { type Sealed, type Sealer, sourceOf } from './seal.ts'
import type { RememberedPolicy, Resource } from './snapshot.ts'
import type { AuthParts, LimitParts, LimitWithin, Steps } from './steps.ts'

export const POLICY_KINDS = ['AuthPolicy', 'RateLimitPolicy'] as const
export type PolicyKind = (typeof POLICY_KINDS)[number]

export interface PolicyReading extends Reading {
  readonly targetRefs: readonly TargetRef[]
  readonly parts: PolicyParts
}

export type PolicyParts = { readonly [S in Strength]: Parts }

type Parts =
  | { readonly kind: 'AuthPolicy'; readonly value: AuthParts }
  | { readonly kind: 'RateLimitPolicy'; readonly value: LimitParts }
  | null

export interface PolicyInForce extends InForce<PolicyReading> {
  readonly kind: PolicyKind
  /** See PolicyShape. */
  readonly ref: string
  readonly key: string
}

type Compilers = Pick<Steps, 'compileAuthPart' | 'compileLimitPart'>

export function policyRef(kind: PolicyKind, key: string): string {
  return `${kind} ${key}`
}

export function policyInForce(
  kind: PolicyKind,
  key: string,
  reader: Reader,
  steps: Compilers,
): PolicyInForce | null {
  const { namespace, name } = namesOf(key)
  const resource = reader.get(kind, namespace, name)
  if (resource === null) return null
  const within = { namespace, reader, grants: grantsBy(reader), policy: key }
  const policy = inForce({
    resource,
    reader,
    read: (content) => readingOf(kind, { ...resource, content }, { within, steps }),
  })
  return { ...policy, kind, key, ref: policyRef(kind, key) }
}

/** A policy as a last valid route had it. Null where the object has gone, or is another one now. */
export function policyAsItWas(
  had: RememberedPolicy,
  ref: string,
  reader: Reader,
  steps: Compilers,
): PolicyInForce | null {
  const { kind, namespace, name, generation, spec } = had
  const resource = reader.get(kind, namespace, name)
  if (resource?.uid !== had.uid) return null
  const within = { namespace, reader, grants: grantsBy(reader), policy: `${namespace}/${name}` }
  const content = { ...resource.content, spec }
  const reading = readingOf(kind, { ...resource, content }, { within, steps })
  return {
    resource,
    reading,
    generation,
    spec,
    problems: reading.problems,
    runs: 'lastValid',
    memory: null,
    kind,
    ref,
    key: `${namespace}/${name}@${generation}`,
  }
}

interface Scene {
  readonly within: LimitWithin
  readonly steps: Compilers
}

function readingOf(kind: PolicyKind, resource: Resource, scene: Scene): PolicyReading {
  switch (kind) {
    case 'AuthPolicy': {
      const { spec, problems } = readAffordable(kind, resource)
      if (spec === null) return unread(kind, resource, problems)
      const parts = eachPart(spec, (part: AuthPolicyPart, path) => {
        const at = new FieldPath<AuthPolicyPart>(path)
        const { value, problems: wrong } = scene.steps.compileAuthPart(part, at, scene.within)
        return { value: { kind, value }, problems: wrong }
      })
      return readingFrom(spec.targetRefs, parts)
    }
    case 'RateLimitPolicy': {
      const { spec, problems } = readAffordable(kind, resource)
      if (spec === null) return unread(kind, resource, problems)
      const parts = eachPart(spec, (part: RateLimitPolicyPart, path) => {
        const at = new FieldPath<RateLimitPolicyPart>(path)
        const { value, problems: wrong } = scene.steps.compileLimitPart(part, at, scene.within)
        return { value: { kind, value }, problems: wrong }
      })
      return readingFrom(spec.targetRefs, parts)
    }
    default:
      return kind satisfies never
  }
}

/** Nothing is read of one that has too many expressions: it cannot be enforced. */
function readAffordable<K extends PolicyKind>(kind: K, resource: Resource): Read<SpecOf[K]> {
  const read = readSpec(kind, resource)
  const tooMuch = read.spec === null ? [] : overspent(kind, read.spec)
  return tooMuch.length === 0 ? read : { spec: null, problems: tooMuch }
}

function unread(
  kind: PolicyKind,
  { content }: Resource,
  problems: readonly Problem[],
): PolicyReading {
  const targetRefs = salvageTargets(kind, content)
  return { targetRefs, parts: { defaults: null, overrides: null }, problems, usable: 'no' }
}

type CheckedParts = { readonly [S in Strength]: Checked<Parts> }

const NO_PART: Checked<Parts> = { value: null, problems: [] }

/** Bare fields are the defaults, so that the spec itself is the part and the paths are shorter. */
function eachPart<P>(
  spec: P & { readonly defaults?: P; readonly overrides?: P },
  compile: (part: P, path: string) => Checked<Parts>,
): CheckedParts {
  return {
    defaults:
      spec.defaults === undefined ? compile(spec, 'spec') : compile(spec.defaults, 'spec.defaults'),
    overrides: spec.overrides === undefined ? NO_PART : compile(spec.overrides, 'spec.overrides'),
  }
}

function readingFrom(targetRefs: readonly TargetRef[], parts: CheckedParts): PolicyReading {
  const { defaults, overrides } = parts
  const problems = [...defaults.problems, ...overrides.problems, ...undoing(overrides.value)]
  const broken = problems.some(({ severity }) => severity === 'failure')
  return {
    targetRefs,
    parts: { defaults: defaults.value, overrides: overrides.value },
    problems,
    usable: broken ? 'no' : 'yes',
  }
}

/** Overrides close; an entry that removes what others state would open from above. */
function undoing(overrides: Parts): readonly Problem[] {
  const list = overrides?.kind === 'RateLimitPolicy' ? 'limits' : 'authorize'
  const sentence = 'Only a default can remove an entry; move it to defaults, or remove it.'
  return (overrides?.value.disabled ?? []).map((name) =>
    new FieldPath<unknown>(`spec.overrides.${list}`).key(name).problem('Invalid', sentence),
  )
}

// ---- what it states -------------------------------------------------------------------------

export function shapeOf(policy: PolicyInForce): PolicyShape {
  const { namespace, name, createdMs } = policy.resource
  const { parts, usable } = policy.reading
  const overrides = statedBy(parts.overrides)
  const { ref, key } = policy
  return {
    namespace,
    name,
    createdMs,
    ref,
    key,
    usable,
    overrides,
    defaults: statedBy(parts.defaults),
  }
}

const NOTHING: Stated = { units: [], entries: [], disabled: [] }

function statedBy(parts: Parts): Stated {
  if (parts === null) return NOTHING
  if (parts.kind === 'RateLimitPolicy') {
    return { units: [], entries: [...parts.value.limits.keys()], disabled: parts.value.disabled }
  }
  const { authorize, disabled } = parts.value
  const units = UNITS.filter((unit) => parts.value[unit] !== null)
  return { units, entries: [...authorize.keys()], disabled }
}

export function sameShape(a: PolicyShape | null, b: PolicyShape | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/**
 * The part of it that outlives its attachment where a route runs its last valid spec: only what
 * tightens. An entry that lets anonymous callers in, or removes another, holds only while it attaches.
 */
export function tightening(policy: PolicyInForce): PolicyShape {
  const shape = shapeOf(policy)
  return {
    ...shape,
    defaults: withoutOpenings(shape.defaults, policy.reading.parts.defaults),
    overrides: withoutOpenings(shape.overrides, policy.reading.parts.overrides),
  }
}

function withoutOpenings(stated: Stated, parts: Parts): Stated {
  const entries = parts?.kind === 'AuthPolicy' ? (parts.value.authenticate?.entries ?? []) : []
  const opens = entries.some((entry) => entry.kind === 'anonymous')
  const units = opens ? stated.units.filter((unit) => unit !== 'authenticate') : stated.units
  return { units, entries: stated.entries, disabled: [] }
}

// ---- its objects ----------------------------------------------------------------------------

export interface PolicyObject {
  readonly sealed: Sealed
  /** Keys of the secrets that it needs beside it. */
  readonly secrets: readonly string[]
}

/** By id of the table object. Where both parts state a name, the override alone is ever in effect. */
export function objectsOf(
  policy: PolicyInForce,
  sealer: Sealer,
): ReadonlyMap<string, PolicyObject> {
  const objects = new Map<string, PolicyObject>()
  const sources = [sourceOf(policy.resource, policy.generation)]
  for (const strength of STRENGTHS) {
    const parts = policy.reading.parts[strength]
    if (parts === null) continue
    for (const sealed of partObjects(parts, { key: policy.key, strength, sources, sealer })) {
      objects.set(sealed.id, { sealed, secrets: secretsOf(sealed, parts) })
    }
  }
  return objects
}

function secretsOf(sealed: Sealed, parts: Parts): readonly string[] {
  if (sealed.object.kind !== 'authenticate' || parts?.kind !== 'AuthPolicy') return []
  return [...parts.value.secrets.keys()]
}

/** Where a policy's unit or entry is in the table. */
export function unitId(unit: Unit, { policy, strength }: Effective): string {
  return objectId(unit, `${policy.key}/${strength}`)
}

export function entryId(kind: 'authorize' | 'limit', { policy, name }: Effective): string {
  return objectId(kind, `${policy.key}/${name}`)
}

interface PartScene {
  readonly key: string
  readonly strength: Strength
  readonly sources: readonly Source[]
  readonly sealer: Sealer
}

function partObjects(parts: NonNullable<Parts>, scene: PartScene): readonly Sealed[] {
  const { key, strength, sources, sealer } = scene
  if (parts.kind === 'RateLimitPolicy') {
    return [...parts.value.limits].map(([name, value]) =>
      sealer.seal({ kind: 'limit', key: `${key}/${name}`, sources, value }),
    )
  }
  const { authenticate, authorize, forward, deny } = parts.value
  const unit = { key: `${key}/${strength}`, sources }
  return [
    ...(authenticate === null
      ? []
      : [sealer.seal({ kind: 'authenticate', ...unit, value: authenticate })]),
    ...(forward === null ? [] : [sealer.seal({ kind: 'forward', ...unit, value: forward })]),
    ...(deny === null ? [] : [sealer.seal({ kind: 'deny', ...unit, value: deny })]),
    ...[...authorize].map(([name, value]) =>
      sealer.seal({ kind: 'authorize', key: `${key}/${name}`, sources, value }),
    ),
  ]
}
