/**
 * Services and their ports, as backends of a table. An unusable backend keeps its weight: its share
 * of the traffic fails with a reason, visibly, and moves nowhere else.
 * Pinned by backend.test.ts: "a backend that cannot be resolved keeps its weight".
 */
import type { RuleBackend } from '../../crds/api-route.ts'
import type { ServiceRef } from '../../crds/reference.ts'
import type { Backend, WeightedBackend } from '#wire/table'
import type { BackendTarget, Expression, Reject } from '#wire/value'
import { addressOf, fieldsOf, itemsOf, portOf, textOf } from './content.ts'
import { backendKey } from './endpoints.ts'
import { checkExpression, type Within } from './expression.ts'
import type { Checked, FieldPath, Problem } from './problem.ts'
import type { Resource } from './snapshot.ts'
import type { StepWithin } from './steps.ts'

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
    const resolved = resolveService(spec.service, at.index(i).child('service'), within)
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

// ---- one Service ----------------------------------------------------------------------------

export interface ResolvedService {
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

export function resolveService(
  ref: ServiceRef,
  at: FieldPath<ServiceRef>,
  within: StepWithin,
): Checked<ResolvedService> {
  const namespace = ref.namespace ?? within.namespace
  const refusal = within.grants.refusal(
    { kind: 'ApiRoute', namespace: within.namespace },
    { kind: 'Service', namespace, name: ref.name },
  )
  if (refusal !== null) {
    return unusable([at.child('namespace').problem('RefNotPermitted', refusal)])
  }
  const key = backendKey({ namespace, service: ref.name, port: String(ref.port) })
  const service = within.reader.get('Service', namespace, ref.name)
  if (service === null && within.reader.installation.unresolvedServices === 'sample') {
    return usable(key, { protocol: 'http', clusterAddress: null })
  }
  if (service === null) {
    const sentence = `There is no Service "${ref.name}" in namespace "${namespace}"; create it, or correct the name.`
    return unusable([at.child('name').problem('BackendNotFound', sentence)])
  }
  const found = backendOf(service, ref)
  if (found.kind === 'backend') return usable(key, found.backend)
  return unusable([at.child(found.field).problem('BackendNotFound', found.because)])
}

function usable(key: string, backend: Backend): Checked<ResolvedService> {
  return { value: { target: { kind: 'backend', backend: key }, backend }, problems: [] }
}

function unusable(problems: readonly Problem[]): Checked<ResolvedService> {
  return { value: { target: REJECT, backend: null }, problems }
}

type Found =
  | { readonly kind: 'backend'; readonly backend: Backend }
  | { readonly kind: 'refused'; readonly field: 'name' | 'port'; readonly because: string }

function backendOf(service: Resource, ref: ServiceRef): Found {
  const spec = fieldsOf(service.content['spec'])
  if (spec['type'] === 'ExternalName') {
    const because = `Service "${ref.name}" is an ExternalName, which has no endpoints and could lead anywhere; name a Service with endpoints.`
    return { kind: 'refused', field: 'name', because }
  }
  const ports = itemsOf(spec['ports']).map(fieldsOf)
  const port = ports.find(
    (entry) => portOf(entry['port']) === ref.port && (textOf(entry['protocol']) ?? 'TCP') === 'TCP',
  )
  if (port === undefined) {
    return { kind: 'refused', field: 'port', because: noSuchPort(ref, ports) }
  }
  const protocol = protocolOf(textOf(port['appProtocol']))
  if (protocol === null) {
    const because = `Port ${ref.port} of Service "${ref.name}" has appProtocol ${textOf(port['appProtocol'])}, which this release does not speak; use http or kubernetes.io/h2c.`
    return { kind: 'refused', field: 'port', because }
  }
  const clusterAddress = clusterAddressOf(addressOf(spec['clusterIP']), ref.port)
  return { kind: 'backend', backend: { protocol, clusterAddress } }
}

function noSuchPort(
  ref: ServiceRef,
  ports: readonly { readonly [field: string]: unknown }[],
): string {
  const tcp = ports.flatMap((entry) =>
    (textOf(entry['protocol']) ?? 'TCP') === 'TCP' ? (portOf(entry['port']) ?? []) : [],
  )
  const has = tcp.length === 0 ? 'It has no TCP port.' : `It has ${tcp.join(', ')}.`
  return `Service "${ref.name}" has no TCP port ${ref.port}. ${has} Correct one of the two.`
}

function protocolOf(appProtocol: string | null): Backend['protocol'] | null {
  switch (appProtocol) {
    case null:
    case 'http':
      return 'http'
    case 'kubernetes.io/h2c':
      return 'h2c'
    default:
      return null
  }
}

/** Null for a headless Service, whose "None" is no address. */
function clusterAddressOf(clusterIp: string | null, port: number): string | null {
  if (clusterIp === null) return null
  return clusterIp.includes(':') ? `[${clusterIp}]:${port}` : `${clusterIp}:${port}`
}
