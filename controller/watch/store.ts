/**
 * Holds the newest object of every watched kind and hands out snapshots of them. Both sources write
 * here; a snapshot shares every map in which nothing has changed with the one before.
 * Pinned by store.test.ts: "an untouched namespace keeps its map from one snapshot to the next".
 */
import {
  FOREIGN_KINDS,
  type Installation,
  type Kind,
  type Namespaced,
  OWN_KINDS,
  type Remembered,
  type Resource,
  resourceId as idOf,
  type Snapshot,
} from '../compile/snapshot.ts'

/** Whether compile has anything new to read. */
export type Stored = 'changed' | 'same'

export interface Store {
  put(resource: Resource): Stored
  drop(kind: Kind, namespace: string, name: string): Stored
  /** All objects of a kind, or of one namespace of it: those not listed are gone. */
  replace(kind: Kind, namespace: string | null, resources: readonly Resource[]): void
  reached(type: string, resourceVersion: string): void
  forbidSecrets(namespace: string, sentence: string | null): void
  get(kind: Kind, namespace: string, name: string): Resource | null
  /** The newest resourceVersion seen, also of a change that compile does not read. */
  version(kind: Kind, namespace: string, name: string): string
  /** Statuses are kept apart: they are compared with, and never compiled. */
  sawStatus(resource: Resource, status: unknown): void
  status(kind: Kind, namespace: string, name: string): unknown
  all(kind: Kind): ReadonlyMap<string, ReadonlyMap<string, Resource>>
  snapshot(remembered: ReadonlyMap<string, Remembered>): Snapshot
}

export const ALL_KINDS: readonly Kind[] = [...OWN_KINDS, ...FOREIGN_KINDS]

type Names = ReadonlyMap<string, Resource>

/** `installation` is asked at each snapshot: a folder's default gateway follows its files. */
export function createStore(installation: () => Installation): Store {
  return new Objects(installation)
}

class Objects implements Store {
  readonly #installation: () => Installation
  #last: Installation | null = null
  readonly #kinds = new Map<Kind, Map<string, Map<string, Resource>>>(
    ALL_KINDS.map((kind) => [kind, new Map()]),
  )
  /** What the last snapshot holds; a touched namespace is copied for the next one. */
  readonly #given = new Map<Kind, Namespaced>(ALL_KINDS.map((kind) => [kind, new Map()]))
  readonly #touched = new Map<Kind, Set<string>>()
  readonly #versions = new Map<string, string>()
  readonly #statuses = new Map<string, unknown>()
  readonly #basis: Record<string, string> = {}
  #forbidden: ReadonlyMap<string, string> = new Map()

  constructor(installation: () => Installation) {
    this.#installation = installation
  }

  put(resource: Resource): Stored {
    const { kind, namespace, name, resourceVersion } = resource
    this.#versions.set(idOf(kind, namespace, name), resourceVersion)
    const names = this.#namesOf(kind, namespace)
    const before = names.get(name)
    if (before !== undefined && sameContent(before, resource)) return 'same'
    names.set(name, resource)
    this.#touch(kind, namespace)
    return 'changed'
  }

  drop(kind: Kind, namespace: string, name: string): Stored {
    this.#versions.delete(idOf(kind, namespace, name))
    this.#statuses.delete(idOf(kind, namespace, name))
    if (!this.#namesOf(kind, namespace).delete(name)) return 'same'
    this.#touch(kind, namespace)
    return 'changed'
  }

  replace(kind: Kind, namespace: string | null, resources: readonly Resource[]): void {
    const kept = new Set(resources.map((resource) => `${resource.namespace}/${resource.name}`))
    for (const [inside, names] of this.all(kind)) {
      if (namespace !== null && inside !== namespace) continue
      // Deleting the key at hand does not disturb a Map's iteration.
      for (const name of names.keys()) {
        if (!kept.has(`${inside}/${name}`)) this.drop(kind, inside, name)
      }
    }
    for (const resource of resources) this.put(resource)
  }

  reached(type: string, resourceVersion: string): void {
    this.#basis[type] = resourceVersion
  }

  forbidSecrets(namespace: string, sentence: string | null): void {
    const next = new Map(this.#forbidden)
    if (sentence === null) next.delete(namespace)
    else next.set(namespace, sentence)
    this.#forbidden = next
  }

  get(kind: Kind, namespace: string, name: string): Resource | null {
    return this.all(kind).get(namespace)?.get(name) ?? null
  }

  version(kind: Kind, namespace: string, name: string): string {
    return this.#versions.get(idOf(kind, namespace, name)) ?? ''
  }

  sawStatus({ kind, namespace, name }: Resource, status: unknown): void {
    this.#statuses.set(idOf(kind, namespace, name), status)
  }

  status(kind: Kind, namespace: string, name: string): unknown {
    return this.#statuses.get(idOf(kind, namespace, name)) ?? null
  }

  all(kind: Kind): Namespaced {
    return this.#kinds.get(kind) ?? new Map()
  }

  snapshot(remembered: ReadonlyMap<string, Remembered>): Snapshot {
    this.#freshen()
    return {
      kinds: this.#kindsGiven(),
      basis: { ...this.#basis },
      remembered,
      secretsForbidden: this.#forbidden,
      installation: this.#installed(),
    }
  }

  /** The same one while it says the same: whatever read it need not run again. */
  #installed(): Installation {
    const now = this.#installation()
    const before = this.#last
    const same =
      before?.defaultGateway === now.defaultGateway &&
      before.unresolvedServices === now.unresolvedServices
    if (same) return before
    this.#last = now
    return now
  }

  #kindsGiven(): Snapshot['kinds'] {
    const of = (kind: Kind): Namespaced => this.#given.get(kind) ?? new Map()
    return {
      ApiGateway: of('ApiGateway'),
      ApiRoute: of('ApiRoute'),
      AuthPolicy: of('AuthPolicy'),
      RateLimitPolicy: of('RateLimitPolicy'),
      Consumer: of('Consumer'),
      ApiKey: of('ApiKey'),
      ApiBackend: of('ApiBackend'),
      LastValid: of('LastValid'),
      ReferenceGrant: of('ReferenceGrant'),
      Service: of('Service'),
      EndpointSlice: of('EndpointSlice'),
      Namespace: of('Namespace'),
      Secret: of('Secret'),
    }
  }

  #touch(kind: Kind, namespace: string): void {
    const namespaces = this.#touched.get(kind) ?? new Set<string>()
    namespaces.add(namespace)
    this.#touched.set(kind, namespaces)
  }

  #namesOf(kind: Kind, namespace: string): Map<string, Resource> {
    const namespaces = this.#kinds.get(kind) ?? new Map<string, Map<string, Resource>>()
    const names = namespaces.get(namespace) ?? new Map<string, Resource>()
    namespaces.set(namespace, names)
    return names
  }

  #freshen(): void {
    for (const [kind, namespaces] of this.#touched) {
      const copy = new Map<string, Names>(this.#given.get(kind))
      for (const namespace of namespaces) {
        const names = this.#namesOf(kind, namespace)
        if (names.size === 0) copy.delete(namespace)
        else copy.set(namespace, new Map(names))
      }
      this.#given.set(kind, copy)
    }
    this.#touched.clear()
  }
}

/**
 * A status write or a kubelet's heartbeat changes the resourceVersion and nothing that compile
 * reads. The old object then stays, so that no step runs again; a later status write recovers from
 * its conflict by reading the object anew.
 */
function sameContent(before: Resource, after: Resource): boolean {
  if (before.uid !== after.uid || before.generation !== after.generation) return false
  if (before.resourceVersion === after.resourceVersion) return true
  return (
    before.createdMs === after.createdMs &&
    JSON.stringify([before.labels, before.annotations, before.content]) ===
      JSON.stringify([after.labels, after.annotations, after.content]) &&
    sameSecrets(before, after)
  )
}

function sameSecrets(before: Resource, after: Resource): boolean {
  // A Secret's bytes cannot be compared without revealing them: any new version counts as a change.
  return before.secrets === null && after.secrets === null
}
