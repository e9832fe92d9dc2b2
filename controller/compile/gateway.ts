/**
 * An ApiGateway: whom it serves, what holds where routes say nothing, and the object that its data
 * planes get. What is wrong in it is closed, never open; it has no last valid spec.
 * Pinned by gateway.test.ts: "dataPlanes counts ready members once, and never less than one".
 */
import type { ApiGatewaySpec } from '../../crds/api-gateway.ts'
import type { Listener } from '#wire/table'
import { fieldsOf, itemsOf, textOf } from './content.ts'
import { serviceOfSlice } from './endpoints.ts'
import type { HostRules } from './ownership.ts'
import { FieldPath, type Problem } from './problem.ts'
import type { Reader } from './reader.ts'
import { namesOf } from './resolve.ts'
import { readSpec, salvageGateway } from './salvage.ts'
import type { Resource } from './snapshot.ts'
import { notSupportedYet } from './supported.ts'

export interface GatewayInForce {
  readonly resource: Resource
  readonly problems: readonly Problem[]
  readonly allowedNamespaces: ApiGatewaySpec['allowedNamespaces']
  readonly hostRules: HostRules
  /** What holds for a rule with neither a policy nor `public: true`. */
  readonly auth: 'required' | 'optional'
  readonly trustedProxies: readonly string[]
  readonly egressAllow: readonly string[]
  /** None: as the data planes' own settings say. */
  readonly listeners: readonly Listener[]
  /** In its own namespace; null where it is not known. */
  readonly service: string | null
}

export function gatewayInForce(key: string, reader: Reader): GatewayInForce | null {
  const { namespace, name } = namesOf(key)
  const resource = reader.get('ApiGateway', namespace, name)
  if (resource === null) return null
  const read = readSpec('ApiGateway', resource)
  const spec: Partial<ApiGatewaySpec> = read.spec ?? salvageGateway(resource.content)
  const at = new FieldPath<ApiGatewaySpec>('spec')
  return {
    resource,
    problems: [...read.problems, ...notSupportedYet('gateway', resource.content['spec'], at)],
    allowedNamespaces: spec.allowedNamespaces,
    hostRules: hostRulesOf(spec.hosts),
    auth: spec.routeDefaults?.auth ?? 'required',
    trustedProxies: spec.trustedProxies ?? [],
    egressAllow: spec.egress?.allow ?? [],
    listeners: listenersOf(spec.listeners),
    service: spec.dataPlanes?.service ?? null,
  }
}

/** Their names are for people: ports tell them apart. */
function listenersOf(specs: ApiGatewaySpec['listeners'] = []): readonly Listener[] {
  return specs.map(({ port, protocol }) => ({
    port,
    protocol: protocol === 'HTTPS' ? 'https' : 'http',
  }))
}

function hostRulesOf(hosts: ApiGatewaySpec['hosts']): HostRules {
  const grants = new Map<string, readonly string[]>()
  for (const { host, namespaces } of hosts?.grants ?? []) {
    grants.set(host, [...(grants.get(host) ?? []), ...namespaces])
  }
  return { grants, ungranted: hosts?.ungranted ?? 'firstCome' }
}

/** Members that share local limits. One that is not counted yet makes a limit too wide by its part. */
export function dataPlanesOf(namespace: string, service: string | null, reader: Reader): number {
  if (service === null) return 1
  const members = new Set<string>()
  for (const slice of reader.list('EndpointSlice', namespace).values()) {
    if (serviceOfSlice(slice) !== service) continue
    for (const item of itemsOf(slice.content['endpoints'])) {
      const member = readyMember(fieldsOf(item))
      if (member !== null) members.add(member)
    }
  }
  return Math.max(1, members.size)
}

/** A pod with two address families is in two slices and counts once. */
function readyMember(endpoint: { readonly [field: string]: unknown }): string | null {
  if (fieldsOf(endpoint['conditions'])['ready'] === false) return null
  const pod = textOf(fieldsOf(endpoint['targetRef'])['uid'])
  const [address] = itemsOf(endpoint['addresses'])
  return pod ?? textOf(address)
}
