/**
 * Which namespaces' Secrets have to be watched: those that a route or policy refers to. Every field
 * that names a Secret ends in `secretRef` or `secretRefs` by rule of the schema.
 * Pinned by secret-references.test.ts: "a reference anywhere in a spec is found, in the
 * namespace that it names".
 */
import type { Kind, Namespaced, Resource } from '../compile/snapshot.ts'
import { isRecord } from '../../crds/inspect.ts'

const REFERRERS: readonly Kind[] = ['ApiRoute', 'AuthPolicy', 'RateLimitPolicy', 'ApiGateway']

export interface SecretReferences {
  namespaces(objectsOf: (kind: Kind) => Namespaced): ReadonlySet<string>
}

/** Objects are frozen, so each is walked once in its life. */
export function createSecretReferences(): SecretReferences {
  const known = new WeakMap<Resource, ReadonlySet<string>>()

  function of(resource: Resource): ReadonlySet<string> {
    const before = known.get(resource)
    if (before !== undefined) return before
    const found = new Set<string>()
    collect(resource.content, resource.namespace, found)
    known.set(resource, found)
    return found
  }

  return {
    namespaces(objectsOf) {
      const all = new Set<string>()
      const objects = REFERRERS.flatMap((kind) => [...objectsOf(kind).values()])
      for (const names of objects) {
        for (const resource of names.values()) for (const name of of(resource)) all.add(name)
      }
      return all
    },
  }
}

const SECRET_FIELD = /secretrefs?$/i

function collect(value: unknown, namespace: string, found: Set<string>): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, namespace, found)
    return
  }
  if (!isRecord(value)) return
  for (const [key, item] of Object.entries(value)) {
    if (SECRET_FIELD.test(key) && isRecord(item) && typeof item['name'] === 'string') {
      found.add(typeof item['namespace'] === 'string' ? item['namespace'] : namespace)
    } else collect(item, namespace, found)
  }
}
