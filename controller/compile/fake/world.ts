/**
 * A few objects and the view that a compile step has of them, for tests of single steps: the real
 * grants over a plain reader, without a memo.
 */
import type { Reader } from '../reader.ts'
import { grantsBy } from '../resolve.ts'
import type { Installation, Kind, Resource, SecretBytes } from '../snapshot.ts'
import type { StepWithin } from '../steps.ts'

interface Written {
  readonly namespace?: string
  readonly labels?: { readonly [name: string]: string }
  readonly spec?: unknown
  readonly type?: string
  readonly secrets?: readonly string[]
}

export function resource(kind: Kind, name: string, written: Written = {}): Resource {
  const { namespace = 'shop', labels = {}, spec, type, secrets } = written
  const values = (secrets ?? []).map((key): [string, SecretBytes] => [key, sealed(key)])
  return {
    kind,
    namespace,
    name,
    uid: `${kind}-${namespace}-${name}`,
    generation: 1,
    resourceVersion: '1',
    createdMs: 0,
    labels,
    annotations: {},
    content: { ...(spec === undefined ? {} : { spec }), ...(type === undefined ? {} : { type }) },
    secrets: kind === 'Secret' ? new Map(values) : null,
  }
}

function sealed(text: string): SecretBytes {
  const size = Buffer.byteLength(text)
  return { size, reveal: () => Buffer.from(text), toString: () => '[secret]' }
}

interface ServiceSpec {
  readonly namespace?: string
  readonly clusterIP?: string
  readonly type?: string
  readonly externalName?: string
}

export function service(name: string, ports: readonly object[], more: ServiceSpec = {}): Resource {
  const { namespace = 'shop', ...spec } = { clusterIP: '10.96.0.7', ...more }
  return resource('Service', name, { namespace, spec: { ports, ...spec } })
}

interface WorldOptions {
  readonly unresolvedServices?: Installation['unresolvedServices']
  readonly secretsForbidden?: { readonly [namespace: string]: string }
}

/** As a step of namespace `shop` sees it. */
export function world(objects: readonly Resource[] = [], options: WorldOptions = {}): StepWithin {
  const reader = readerOver(objects, options)
  return { namespace: 'shop', reader, grants: grantsBy(reader) }
}

function readerOver(objects: readonly Resource[], options: WorldOptions): Reader {
  const all = (kind: Kind): Map<string, Map<string, Resource>> => {
    const namespaces = new Map<string, Map<string, Resource>>()
    for (const object of objects) {
      if (object.kind !== kind) continue
      const names = namespaces.get(object.namespace) ?? new Map<string, Resource>()
      namespaces.set(object.namespace, names.set(object.name, object))
    }
    return namespaces
  }
  return {
    get: (kind, namespace, name) => all(kind).get(namespace)?.get(name) ?? null,
    list: (kind, namespace) => all(kind).get(namespace) ?? new Map(),
    all,
    remembered: () => null,
    secretsForbidden: (namespace) => options.secretsForbidden?.[namespace] ?? null,
    installation: {
      defaultGateway: 'fairlead-system/default',
      unresolvedServices: options.unresolvedServices ?? 'problem',
    },
  }
}

/** A grant in `namespace` to objects of namespace `shop`. */
export function grant(namespace: string, from: string, to: object): Resource {
  const spec = { from: [{ group: 'fairlead.dev', kind: from, namespace: 'shop' }], to: [to] }
  return resource('ReferenceGrant', 'for-shop', { namespace, spec })
}
