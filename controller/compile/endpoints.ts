/**
 * The endpoints of one backend, from the EndpointSlices of its Service. Outside of the compile: push
 * calls it on every change of a slice, since endpoints have a lane of their own and never wait for a
 * table. What can be judged per Service port is judged as kube-proxy does.
 * Pinned by endpoints.test.ts: "agrees with the plain twin on generated slices".
 */
import { ENDPOINTS_MAX } from '#wire/limits'
import type { Endpoint } from '#wire/session'
import { addressOf, fieldsOf, itemsOf, portOf, textOf } from './content.ts'
import type { Namespaced, Resource } from './snapshot.ts'

/** The part of a Snapshot that endpoints follow from. */
export interface EndpointReads {
  readonly kinds: { readonly Service: Namespaced; readonly EndpointSlice: Namespaced }
}

export interface BackendName {
  readonly namespace: string
  readonly service: string
  /** A number, or a port's name where a folder has no Service to look it up in. */
  readonly port: string
}

export function backendKey({ namespace, service, port }: BackendName): string {
  return `${namespace}/${service}:${port}`
}

/** `wrapped`: a key as of `backendKey`, with the ApiBackend around it behind an `@`. */
export function backendName(wrapped: string): BackendName {
  const [key = ''] = wrapped.split('@', 1)
  const slash = key.indexOf('/')
  const colon = key.lastIndexOf(':')
  return {
    namespace: key.slice(0, slash),
    service: key.slice(slash + 1, colon),
    port: key.slice(colon + 1),
  }
}

/** Complete, in an order that depends on nothing but the endpoints, at most ENDPOINTS_MAX. */
export function endpointsOf(key: string, reads: EndpointReads): readonly Endpoint[] {
  const name = backendName(key)
  const slices: Resource[] = []
  for (const slice of (reads.kinds.EndpointSlice.get(name.namespace) ?? NONE).values()) {
    if (serviceOfSlice(slice) === name.service) slices.push(slice)
  }
  return endpointsIn(slices, name, serviceOf(name, reads))
}

/** As endpointsOf, with each slice looked at once: for a first push, where all keys are new. */
export function endpointsOfEach(
  keys: Iterable<string>,
  reads: EndpointReads,
): Map<string, readonly Endpoint[]> {
  const slices = new Map<string, Resource[]>()
  for (const [namespace, inside] of reads.kinds.EndpointSlice) {
    for (const slice of inside.values()) {
      const owner = `${namespace}/${serviceOfSlice(slice)}`
      const list = slices.get(owner)
      if (list === undefined) slices.set(owner, [slice])
      else list.push(slice)
    }
  }
  const result = new Map<string, readonly Endpoint[]>()
  for (const key of keys) {
    const name = backendName(key)
    const own = slices.get(`${name.namespace}/${name.service}`) ?? []
    result.set(key, endpointsIn(own, name, serviceOf(name, reads)))
  }
  return result
}

/** The Service that a slice belongs to: push finds by it which backends a change concerns. */
export function serviceOfSlice(slice: Resource): string {
  return slice.labels[SERVICE_LABEL] ?? ''
}

const SERVICE_LABEL = 'kubernetes.io/service-name'
const NONE: ReadonlyMap<string, Resource> = new Map()

function serviceOf(name: BackendName, reads: EndpointReads): Resource | null {
  return reads.kinds.Service.get(name.namespace)?.get(name.service) ?? null
}

type Family = 'IPv4' | 'IPv6'

interface Candidate {
  readonly family: Family
  readonly state: 'ready' | 'leaving'
  readonly endpoint: Endpoint
}

function endpointsIn(
  slices: readonly Resource[],
  name: BackendName,
  service: Resource | null,
): readonly Endpoint[] {
  const wanted = wantedPort(service, name.port)
  if (wanted === null) return []
  const candidates = slices.flatMap((slice) => candidatesOf(slice, wanted))
  const family = textOf(itemsOf(fieldsOf(fieldsOf(service?.content)['spec'])['ipFamilies'])[0])
  return inOrder(bestOf(candidates, family))
}

/** How a slice's port is recognised: by the Service port's name, which slices carry. */
interface WantedPort {
  readonly name: string | null
  /** Where the name cannot be known, because there is no Service: the number itself. */
  readonly number: number | null
  /** Of slices that leave the port open. */
  readonly target: number | null
}

function wantedPort(service: Resource | null, port: string): WantedPort | null {
  const number = /^\d+$/.test(port) ? portOf(Number(port)) : null
  if (service === null) return { name: number === null ? port : null, number, target: number }
  for (const item of itemsOf(fieldsOf(service.content['spec'])['ports'])) {
    const entry = fieldsOf(item)
    if (!isTcp(entry)) continue
    if (portOf(entry['port']) !== number && textOf(entry['name']) !== port) continue
    const target = portOf(entry['targetPort']) ?? portOf(entry['port'])
    return { name: textOf(entry['name']), number: null, target }
  }
  return null
}

function isTcp(port: { readonly [field: string]: unknown }): boolean {
  return (textOf(port['protocol']) ?? 'TCP') === 'TCP'
}

function candidatesOf(slice: Resource, wanted: WantedPort): readonly Candidate[] {
  const family = slice.content['addressType']
  if (family !== 'IPv4' && family !== 'IPv6') return [] // FQDN: nothing of ours resolves names here
  const port = slicePort(itemsOf(slice.content['ports']), wanted)
  if (port === null) return []
  const result: Candidate[] = []
  for (const item of itemsOf(slice.content['endpoints'])) {
    const entry = fieldsOf(item)
    const state = stateOf(fieldsOf(entry['conditions']))
    // Only the first address has a meaning; the API allows more and says nothing about them.
    const address = addressOf(itemsOf(entry['addresses'])[0])
    if (state === 'down' || address === null) continue
    result.push({ family, state, endpoint: { address, port, zone: zoneOf(entry) } })
  }
  return result
}

/** A label of a node: a longer one is none, and would make the frame of its backend unreadable. */
function zoneOf(endpoint: { readonly [field: string]: unknown }): string | null {
  const zone = textOf(endpoint['zone'])
  return zone === null || zone.length > ZONE_CHARS_MAX ? null : zone
}

/** What Kubernetes takes as the value of a label. */
const ZONE_CHARS_MAX = 63

function slicePort(ports: readonly unknown[], wanted: WantedPort): number | null {
  for (const item of ports) {
    const entry = fieldsOf(item)
    if (!isTcp(entry)) continue
    const number = portOf(entry['port'])
    if (wanted.number === null) {
      if (textOf(entry['name']) === wanted.name) return number ?? wanted.target
    } else if (number === wanted.number || ports.length === 1) {
      return number ?? wanted.target
    }
  }
  return null
}

/** Absent conditions mean unknown, which the API asks to read as ready. */
function stateOf(conditions: { readonly [field: string]: unknown }): 'ready' | 'leaving' | 'down' {
  if (conditions['ready'] !== false) return 'ready'
  return conditions['serving'] === true && conditions['terminating'] === true ? 'leaving' : 'down'
}

/**
 * Endpoints that are on their way out but still serve count only where nothing else is ready, as in
 * kube-proxy: the last pods of a rollout must not drop their requests. Of a dual-stack Service the
 * first family counts, or else every pod would be there twice.
 */
function bestOf(candidates: readonly Candidate[], family: string | null): readonly Candidate[] {
  const [ready, leaving] = split(candidates, (candidate) => candidate.state === 'ready')
  const pool = ready.length > 0 ? ready : leaving
  const [preferred, others] = split(pool, (candidate) => candidate.family === family)
  return preferred.length > 0 ? preferred : others
}

function split<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  const passed: T[] = []
  const failed: T[] = []
  for (const item of items) (test(item) ? passed : failed).push(item)
  return [passed, failed]
}

function inOrder(candidates: readonly Candidate[]): readonly Endpoint[] {
  const byName = new Map<string, Endpoint>()
  for (const { endpoint } of candidates) {
    const name = `${endpoint.address} ${endpoint.port}`
    const known = byName.get(name)
    // One address in two slices while it moves between them: the zone must not depend on order.
    if (known === undefined || (known.zone ?? '') < (endpoint.zone ?? '')) {
      byName.set(name, endpoint)
    }
  }
  const names = [...byName.keys()].toSorted(compareText).slice(0, ENDPOINTS_MAX)
  return names.flatMap((name) => byName.get(name) ?? [])
}

function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
