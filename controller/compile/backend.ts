/**
 * Services and their ports, as backends of a table. An unusable backend keeps its weight: its share
 * of the traffic fails with a reason, visibly, and moves nowhere else.
 * Pinned by backend.test.ts: "a backend that cannot be resolved keeps its weight".
 */
import type { RuleBackend } from '../../crds/api-route.ts'
import type { BackendRef } from '../../crds/backend.ts'
import type { Backend, WeightedBackend } from '#wire/table'
import type { BackendTarget, Expression, Reject } from '#wire/value'
import { resolveApiBackend } from './api-backend.ts'
import { checkExpression, type Within } from './expression.ts'
import type { Checked, FieldPath, Problem } from './problem.ts'
import { resolveService } from './service.ts'
import type { CompiledApiBackend, StepWithin } from './steps.ts'

export type Backends = ReadonlyMap<string, Backend>

export interface BackendsWithin extends StepWithin {
  readonly expressions: Within
}

export interface CompiledBackends {
  readonly weighted: readonly WeightedBackend[]
  readonly backends: Backends
}

export function compileBackends(
  specs: readonly RuleBackend[],
  at: FieldPath<readonly RuleBackend[]>,
  within: BackendsWithin,
): Checked<CompiledBackends> {
  const problems: Problem[] = []
  const backends = new Map<string, Backend>()
  const weighted = specs.map((spec, i): WeightedBackend => {
    const when = compileWhen(spec, at.index(i), within.expressions)
    const resolved = resolveBackend(spec, at.index(i), within)
    problems.push(...when.problems, ...resolved.problems)
    const { target, backend } = resolved.value
    if (target.kind === 'backend' && backend !== null) backends.set(target.backend, backend)
    return { when: when.value, weight: spec.weight ?? 1, to: target }
  })
  problems.push(...whoTakesTheRest(specs, at))
  return { value: { weighted, backends }, problems }
}

function compileWhen(
  spec: RuleBackend,
  at: FieldPath<RuleBackend>,
  expressions: Within,
): Checked<Expression | null> {
  if (spec.when === undefined) return { value: null, problems: [] }
  const { value, problems } = checkExpression(spec.when, at.child('when'), {
    ...expressions,
    expects: 'bool',
  })
  return { value: value === null ? null : spec.when, problems }
}

function whoTakesTheRest(
  specs: readonly RuleBackend[],
  at: FieldPath<readonly RuleBackend[]>,
): readonly Problem[] {
  const others = specs.flatMap((spec) => (spec.when === undefined ? [spec.weight ?? 1] : []))
  if (others.length === 0) {
    const sentence =
      'Every backend has a `when`, so nobody answers where none is true; add one without.'
    return [at.problem('Invalid', sentence)]
  }
  if (others.some((weight) => weight > 0)) return []
  const sentence = 'Every backend without `when` has weight 0, so none can be chosen; raise one.'
  return [at.problem('Invalid', sentence)]
}

// ---- one of them ----------------------------------------------------------------------------

export interface ResolvedBackend {
  readonly target: BackendTarget
  /** Null where the target rejects. */
  readonly backend: Backend | null
}

/** What the client of a share that cannot be served reads. */
const REJECT: Reject = {
  kind: 'reject',
  status: 500,
  cause: 'backend-invalid',
  because: 'A backend of this rule cannot be used; the status of its route says why.',
}

export function resolveBackend(
  ref: BackendRef,
  at: FieldPath<BackendRef>,
  within: StepWithin,
): Checked<ResolvedBackend> {
  const { value, problems } = found(ref, at, within)
  if (value === null) return { value: { target: REJECT, backend: null }, problems }
  const { key, backend } = value
  return { value: { target: { kind: 'backend', backend: key }, backend }, problems }
}

function found(
  { service, apiBackend }: BackendRef,
  at: FieldPath<BackendRef>,
  within: StepWithin,
): Checked<CompiledApiBackend | null> {
  const from = { kind: 'ApiRoute', namespace: within.namespace } as const
  if (service !== undefined)
    return resolveService(service, at.child('service'), { ...within, from })
  if (apiBackend !== undefined) return resolveApiBackend(apiBackend, at.child('apiBackend'), within)
  const sentence = 'Write exactly one of service, apiBackend.'
  return { value: null, problems: [at.problem('Invalid', sentence)] }
}
