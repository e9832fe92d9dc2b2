/**
 * A port of a Service as a backend of a table: whether it may be named from here, whether it is there,
 * and what it speaks.
 * Pinned by backend.test.ts: "a backend that cannot be resolved keeps its weight".
 */
import type { ServiceRef } from '../../crds/reference.ts'
import type { Backend } from '#wire/table'
import { addressOf, fieldsOf, itemsOf, portOf, textOf } from './content.ts'
import { backendKey } from './endpoints.ts'
import { type Checked, type FieldPath, unusable } from './problem.ts'
import type { Resource } from './snapshot.ts'
import type { CompiledApiBackend, ReferenceFrom, StepWithin } from './steps.ts'

export interface ServiceWithin extends StepWithin {
  readonly from: ReferenceFrom
}

/** Null: it cannot be used, and the problems say why. */
export function resolveService(
  ref: ServiceRef,
  at: FieldPath<ServiceRef>,
  within: ServiceWithin,
): Checked<CompiledApiBackend | null> {
  const namespace = ref.namespace ?? within.namespace
  const to = { kind: 'Service', namespace, name: ref.name } as const
  const refusal = within.grants.refusal(within.from, to)
  if (refusal !== null) return unusable(at.child('namespace').problem('RefNotPermitted', refusal))
  const key = backendKey({ namespace, service: ref.name, port: String(ref.port) })
  const service = within.reader.get('Service', namespace, ref.name)
  if (service === null && within.reader.installation.unresolvedServices === 'sample') {
    return { value: { key, backend: { protocol: 'http', clusterAddress: null } }, problems: [] }
  }
  if (service === null) {
    const sentence = `There is no Service "${ref.name}" in namespace "${namespace}"; create it, or correct the name.`
    return unusable(at.child('name').problem('BackendNotFound', sentence))
  }
  const found = backendOf(service, ref)
  if (found.kind === 'backend') return { value: { key, backend: found.backend }, problems: [] }
  return unusable(at.child(found.field).problem('BackendNotFound', found.because))
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
