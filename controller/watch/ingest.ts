/**
 * One raw object, from the API server or from a file, into the Resource that compile reads: frozen,
 * map keys sorted, managedFields and Secret data taken out.
 * Pinned by ingest.test.ts: "the order of keys in a file or an answer does not matter".
 */
import type { Kind, Resource, SecretBytes } from '../compile/snapshot.ts'
import { isRecord } from '../../crds/inspect.ts'
import { seal } from './secret.ts'

interface Metadata {
  readonly namespace?: unknown
  readonly name?: unknown
  readonly uid?: unknown
  readonly generation?: unknown
  readonly resourceVersion?: unknown
  readonly creationTimestamp?: unknown
  readonly labels?: unknown
  readonly annotations?: unknown
}

/** Throws TypeError for what is no Kubernetes object: sources check that first. */
export function ingest(kind: Kind, raw: unknown): Resource {
  if (!isRecord(raw)) throw new TypeError(`a ${kind} must be an object`)
  const metadata: Metadata = isRecord(raw['metadata']) ? raw['metadata'] : {}
  const secrets = kind === 'Secret' ? sealed(raw) : null
  return Object.freeze({
    kind,
    namespace: text(metadata.namespace),
    name: text(metadata.name),
    uid: text(metadata.uid),
    generation: typeof metadata.generation === 'number' ? metadata.generation : 1,
    resourceVersion: text(metadata.resourceVersion),
    createdMs: instant(metadata.creationTimestamp),
    labels: strings(metadata.labels),
    annotations: strings(metadata.annotations),
    content: contentOf(raw),
    secrets,
  })
}

/** Deep, frozen, keys in one order. The status is ours to write, never to read. */
export function settled(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map(settled))
  if (!isRecord(value)) return value
  const sorted: Record<string, unknown> = {}
  for (const key of Object.keys(value).toSorted()) define(sorted, key, settled(value[key]))
  return Object.freeze(sorted)
}

/** A key named __proto__ is data like any other. */
function define(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true })
    return
  }
  target[key] = value
}

const LEFT_OUT = new Set(['status', 'data', 'stringData', 'metadata'])

function contentOf(raw: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const content: Record<string, unknown> = {}
  const isSecret = raw['kind'] === 'Secret' || 'stringData' in raw
  for (const key of Object.keys(raw).toSorted()) {
    if (key === 'status' || key === 'metadata' || (isSecret && LEFT_OUT.has(key))) continue
    define(content, key, settled(raw[key]))
  }
  return Object.freeze(content)
}

function sealed(raw: Readonly<Record<string, unknown>>): ReadonlyMap<string, SecretBytes> {
  const values = new Map<string, SecretBytes>()
  for (const [name, value] of Object.entries(isRecord(raw['data']) ? raw['data'] : {})) {
    if (typeof value === 'string') values.set(name, seal(Buffer.from(value, 'base64')))
  }
  for (const [name, value] of Object.entries(
    isRecord(raw['stringData']) ? raw['stringData'] : {},
  )) {
    if (typeof value === 'string') values.set(name, seal(Buffer.from(value, 'utf8')))
  }
  return values
}

const NO_STRINGS: Readonly<Record<string, string>> = Object.freeze({})

function strings(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) return NO_STRINGS
  const sorted: Record<string, string> = {}
  for (const key of Object.keys(value).toSorted()) {
    const item = value[key]
    if (typeof item === 'string' && key !== '__proto__') sorted[key] = item
  }
  return Object.freeze(sorted)
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function instant(value: unknown): number {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(ms) ? 0 : ms
}
