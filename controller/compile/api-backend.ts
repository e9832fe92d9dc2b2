/**
 * An ApiBackend as a backend of a table: its Service, with what holds for requests to it.
 * Pinned by api-backend.test.ts: "a route that names an ApiBackend gets its Service and its bounds".
 */
import type { ApiBackendSpec, HealthSpec } from '../../crds/api-backend.ts'
import type { ApiBackendRef } from '../../crds/reference.ts'
import type { Health, Outliers } from '#wire/delivery'
import { type Checked, FieldPath, unusable } from './problem.ts'
import { perMille, waitMs } from './quantity.ts'
import { readSpec } from './salvage.ts'
import { resolveService } from './service.ts'
import type { CompiledApiBackend, CompileApiBackend, StepWithin } from './steps.ts'

export const compileApiBackend: CompileApiBackend = (spec, at, within) => {
  const from = { kind: 'ApiBackend', namespace: within.namespace } as const
  const { value, problems } = resolveService(spec.service, at.child('service'), { ...within, from })
  const health = compileHealth(spec, at)
  const all = [...problems, ...health.problems]
  if (value === null || all.length > 0) return { value: null, problems: all }
  const { circuit } = spec
  const backend = {
    ...value.backend,
    ...(circuit === undefined ? {} : { circuit }),
    ...(health.value === null ? {} : { health: health.value }),
  }
  const key = `${value.key}@${within.namespace}/${within.name}`
  return { value: { key, backend }, problems: [] }
}

/** Null: nobody judges its endpoints, or not as it is written. */
function compileHealth(
  { health: spec }: ApiBackendSpec,
  at: FieldPath<ApiBackendSpec>,
): Checked<Health | null> {
  if (spec === undefined) return { value: null, problems: [] }
  const { errors = 5, gatewayErrors, successRate, share = '50%' } = spec.outliers
  const ejection = compileEjection(spec.outliers, at.child('health').child('outliers'))
  if (ejection.value === null) return { value: null, problems: ejection.problems }
  const outliers: Outliers = {
    errors,
    ...(gatewayErrors === undefined ? {} : { gatewayErrors }),
    ...(successRate === undefined ? {} : { successPerMille: perMille(successRate) }),
    ...ejection.value,
    outMaxPerMille: perMille(share),
  }
  return { value: { outliers, panicPerMille: perMille(spec.panic ?? '50%') }, problems: [] }
}

type Ejection = Pick<Outliers, 'ejectionMs' | 'ejectionMaxMs'>

function compileEjection(
  { ejection = '30s', ejectionMax }: HealthSpec['outliers'],
  at: FieldPath<HealthSpec['outliers']>,
): Checked<Ejection | null> {
  const first = waitMs(ejection, at.child('ejection'), '1ms')
  const most = waitMs(ejectionMax ?? '5m', at.child('ejectionMax'), '1ms')
  const problems = [...first.problems, ...most.problems]
  if (first.value === null || most.value === null) return { value: null, problems }
  const ejectionMs = first.value
  // Who says only how long it is out wants that, even where it is longer.
  const ejectionMaxMs = ejectionMax === undefined ? Math.max(most.value, ejectionMs) : most.value
  if (ejectionMaxMs >= ejectionMs) return { value: { ejectionMs, ejectionMaxMs }, problems }
  const sentence = 'It is shorter than the first ejection; raise it or lower ejection.'
  return unusable(at.child('ejectionMax').problem('Invalid', sentence))
}

/** Null: it cannot be used from here, and the problems say why. */
export function resolveApiBackend(
  ref: ApiBackendRef,
  at: FieldPath<ApiBackendRef>,
  within: StepWithin,
): Checked<CompiledApiBackend | null> {
  const namespace = ref.namespace ?? within.namespace
  const refusal = within.grants.refusal(
    { kind: 'ApiRoute', namespace: within.namespace },
    { kind: 'ApiBackend', namespace, name: ref.name },
  )
  if (refusal !== null) return unusable(at.child('namespace').problem('RefNotPermitted', refusal))
  const resource = within.reader.get('ApiBackend', namespace, ref.name)
  const place = at.child('name')
  if (resource === null) {
    const sentence = `There is no ApiBackend "${ref.name}" in namespace "${namespace}"; create it, or correct the name.`
    return unusable(place.problem('BackendNotFound', sentence))
  }
  const { spec } = readSpec('ApiBackend', resource)
  const inside = { ...within, namespace, name: ref.name }
  const value = spec === null ? null : compileApiBackend(spec, SPEC, inside).value
  if (value !== null) return { value, problems: [] }
  const sentence = `ApiBackend "${ref.name}" in namespace "${namespace}" is not valid; its status says what to mend.`
  return unusable(place.problem('BackendNotFound', sentence))
}

const SPEC = new FieldPath<ApiBackendSpec>('spec')
