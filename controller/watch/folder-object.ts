/**
 * Which object a document of a folder is: its kind, namespace and name, checked as an API server
 * would before it looks at the spec.
 * Pinned by folder-object.test.ts: "a kind that nobody knows gets the nearest one suggested".
 */
import { createHash } from 'node:crypto'
import { type Kind, resourceId } from '../compile/snapshot.ts'
import type { FileObject, Position } from './folder-document.ts'
import { isRecord } from '../../crds/inspect.ts'
import { settled } from './ingest.ts'
import { ALL_KINDS } from './store.ts'

export interface Identified {
  readonly kind: 'object'
  readonly resourceKind: Kind
  readonly namespace: string
  readonly name: string
  /** Of everything that it says: equal digests mean an unchanged object. */
  readonly digest: string
  readonly object: FileObject
}

export interface Unidentified {
  readonly kind: 'problem'
  readonly path: string
  readonly sentence: string
}

/** apiVersion of each kind that a folder may hold. LastValid is the controller's own. */
const API_VERSIONS: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  ApiGateway: ['fairlead.dev/v1alpha1'],
  ApiRoute: ['fairlead.dev/v1alpha1'],
  AuthPolicy: ['fairlead.dev/v1alpha1'],
  RateLimitPolicy: ['fairlead.dev/v1alpha1'],
  Consumer: ['fairlead.dev/v1alpha1'],
  ApiKey: ['fairlead.dev/v1alpha1'],
  ApiBackend: ['fairlead.dev/v1alpha1'],
  ReferenceGrant: ['gateway.networking.k8s.io/v1beta1', 'gateway.networking.k8s.io/v1'],
  Service: ['v1'],
  EndpointSlice: ['discovery.k8s.io/v1'],
  Namespace: ['v1'],
  Secret: ['v1'],
}

/** RFC 1123: what the API server takes as a name. */
const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

export function identify(object: FileObject): Identified | Unidentified {
  const { raw } = object
  const resourceKind = kindOf(raw['kind'])
  if (resourceKind === null) return problem('kind', unknownKind(raw['kind']))
  const versions = API_VERSIONS[resourceKind] ?? []
  if (!versions.some((version) => version === raw['apiVersion'])) {
    return problem(
      'apiVersion',
      `An object of kind ${resourceKind} has apiVersion: ${versions[0]}.`,
    )
  }
  const named = nameOf(resourceKind, raw['metadata'])
  if (named.kind === 'problem') return named
  const { namespace, name } = named
  return { kind: 'object', resourceKind, namespace, name, digest: digestOf(raw), object }
}

const OWN_GROUP = 'fairlead.dev/'

/** Whether an unidentified document was meant for us: those of others may lie beside ours. */
function meantFor(raw: FileObject['raw']): 'us' | 'others' {
  const { apiVersion } = raw
  if (typeof apiVersion === 'string' && apiVersion.startsWith(OWN_GROUP)) return 'us'
  const kind = kindOf(raw['kind'])
  const versions = kind === null ? [] : (API_VERSIONS[kind] ?? [])
  const isOurs = versions.some((one) => one === apiVersion || one.startsWith(OWN_GROUP))
  return isOurs ? 'us' : 'others'
}

export type Place = Position & { readonly sentence: string }

export interface IdentifiedAll {
  readonly objects: readonly Identified[]
  /** Documents that were not meant for us. */
  readonly unknown: readonly Place[]
  /** Those that were, so that nobody can say what they would have changed. */
  readonly lost: readonly Place[]
}

export function identifyAll(all: readonly FileObject[]): IdentifiedAll {
  const objects: Identified[] = []
  const unknown: Place[] = []
  const lost: Place[] = []
  for (const object of all) {
    const result = identify(object)
    if (result.kind === 'object') objects.push(result)
    else {
      const place = { ...object.locate(result.path), sentence: result.sentence }
      if (meantFor(object.raw) === 'us') lost.push(place)
      else unknown.push(place)
    }
  }
  return { objects, unknown, lost }
}

/** Those of the others that are not among the objects. */
export function without(
  objects: readonly Identified[],
  others: readonly Identified[],
): readonly Identified[] {
  const ids = new Set(objects.map(idOfFound))
  return others.filter((other) => !ids.has(idOfFound(other)))
}

function idOfFound({ resourceKind, namespace, name }: Identified): string {
  return resourceId(resourceKind, namespace, name)
}

interface Named {
  readonly kind: 'named'
  readonly namespace: string
  readonly name: string
}

function nameOf(kind: Kind, metadata: unknown): Named | Unidentified {
  if (!isRecord(metadata)) return problem('metadata', 'metadata with a name is required.')
  const { name } = metadata
  if (typeof name !== 'string' || !NAME.test(name)) {
    return problem('metadata.name', 'metadata.name must be lower-case letters, digits, "-" or ".".')
  }
  if (kind === 'Namespace') return { kind: 'named', namespace: '', name }
  const namespace = metadata['namespace'] ?? 'default'
  if (typeof namespace !== 'string' || !NAMESPACE.test(namespace)) {
    return problem(
      'metadata.namespace',
      'metadata.namespace must be lower-case letters, digits or "-".',
    )
  }
  return { kind: 'named', namespace, name }
}

function kindOf(kind: unknown): Kind | null {
  return ALL_KINDS.find((name) => name === kind && API_VERSIONS[name] !== undefined) ?? null
}

function problem(path: string, sentence: string): Unidentified {
  return { kind: 'problem', path, sentence }
}

function unknownKind(kind: unknown): string {
  if (typeof kind !== 'string') return 'kind is required, such as kind: ApiRoute.'
  const names = Object.keys(API_VERSIONS)
  const near = names.find((name) => name.toLowerCase() === kind.toLowerCase().replace(/s$/, ''))
  if (near !== undefined) return `No kind "${kind}"; did you mean ${near}?`
  return `Kind "${kind}" is not read here; Fairlead reads ${names.join(', ')}.`
}

function digestOf(raw: Readonly<Record<string, unknown>>): string {
  const { status: _, ...rest } = raw
  return createHash('sha256')
    .update(JSON.stringify(settled(rest)))
    .digest('hex')
    .slice(0, 32)
}
