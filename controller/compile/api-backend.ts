/**
 * An ApiBackend as a backend of a table: its Service, with what holds for requests to it.
 * Pinned by api-backend.test.ts: "a route that names an ApiBackend gets its Service and its bounds".
 */
import type { ApiBackendSpec } from '../../crds/api-backend.ts'
import type { ApiBackendRef } from '../../crds/reference.ts'
import { type Checked, FieldPath } from './problem.ts'
import { readSpec } from './salvage.ts'
import { resolveService } from './service.ts'
import type { CompiledApiBackend, CompileApiBackend, StepWithin } from './steps.ts'

export const compileApiBackend: CompileApiBackend = (spec, at, within) => {
  const from = { kind: 'ApiBackend', namespace: within.namespace } as const
  const { value, problems } = resolveService(spec.service, at.child('service'), { ...within, from })
  if (value === null) return { value: null, problems }
  const { circuit } = spec
  const backend = { ...value.backend, ...(circuit === undefined ? {} : { circuit }) }
  const key = `${value.key}@${within.namespace}/${within.name}`
  return { value: { key, backend }, problems }
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
  if (refusal !== null) {
    return { value: null, problems: [at.child('namespace').problem('RefNotPermitted', refusal)] }
  }
  const resource = within.reader.get('ApiBackend', namespace, ref.name)
  const place = at.child('name')
  if (resource === null) {
    const sentence = `There is no ApiBackend "${ref.name}" in namespace "${namespace}"; create it, or correct the name.`
    return { value: null, problems: [place.problem('BackendNotFound', sentence)] }
  }
  const { spec } = readSpec('ApiBackend', resource)
  const inside = { ...within, namespace, name: ref.name }
  const value = spec === null ? null : compileApiBackend(spec, SPEC, inside).value
  if (value !== null) return { value, problems: [] }
  const sentence = `ApiBackend "${ref.name}" in namespace "${namespace}" is not valid; its status says what to mend.`
  return { value: null, problems: [place.problem('BackendNotFound', sentence)] }
}

const SPEC = new FieldPath<ApiBackendSpec>('spec')
