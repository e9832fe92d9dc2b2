/**
 * Objects as a cluster would hold them, for tests of compile: applied as YAML-like values, given
 * uids, generations and ages, and handed out as snapshots that share what has not changed.
 */
import type { Compiled } from '../../controller/compile/compiled.ts'
import type { Installation, Kind, Remembered, Snapshot } from '../../controller/compile/snapshot.ts'
import { certificate, fingerprint, sha256 } from '../../controller/push/encode.ts'
import { ingest } from '../../controller/watch/ingest.ts'
import { createStore, type Store } from '../../controller/watch/store.ts'

export const DEPS = { sha256, fingerprint, certificate }

export const INSTALLATION: Installation = {
  defaultGateway: 'fairlead-system/default',
  unresolvedServices: 'problem',
}

export interface Written {
  readonly kind: Kind
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: { readonly [name: string]: string }
    readonly creationTimestamp?: string
  }
  readonly [field: string]: unknown
}

export const DEFAULT_GATEWAY: Written = {
  kind: 'ApiGateway',
  metadata: { name: 'default', namespace: 'fairlead-system' },
  spec: { dataPlanes: { serviceAccount: 'fairlead', service: 'fairlead' } },
}

interface Known {
  readonly uid: string
  readonly generation: number
  readonly createdMs: number
  readonly spec: string
}

const FIRST_MS = Date.UTC(2026, 0, 1)
const API_VERSION = 'fairlead.dev/v1alpha1'

function namespaceOf({ kind, metadata }: Written): string {
  return kind === 'Namespace' ? '' : (metadata.namespace ?? 'default')
}

export class World {
  readonly #store: Store
  readonly #known = new Map<string, Known>()
  /** uid → every spec that the object has had, by generation. */
  readonly specs = new Map<string, Map<number, unknown>>()
  #uids = 0
  #clock = 0
  #remembered: ReadonlyMap<string, Remembered> = new Map()

  constructor(installation: Installation = INSTALLATION) {
    this.#store = createStore(() => installation)
  }

  /** Creates or updates, as `kubectl apply` does; a new object is a second younger than the last. */
  apply(...objects: readonly Written[]): this {
    for (const object of objects) this.#put(object)
    return this
  }

  #put(object: Written): void {
    const { kind } = object
    const { name, labels = {} } = object.metadata
    const namespace = namespaceOf(object)
    const known = this.#know(`${kind} ${namespace}/${name}`, object)
    const metadata = {
      name,
      namespace,
      labels,
      uid: known.uid,
      generation: known.generation,
      resourceVersion: String(this.#clock),
      creationTimestamp:
        object.metadata.creationTimestamp ?? new Date(known.createdMs).toISOString(),
    }
    this.#store.put(ingest(kind, { apiVersion: API_VERSION, ...object, metadata }))
  }

  #know(id: string, object: Written): Known {
    this.#clock += 1
    const spec = JSON.stringify(object['spec'] ?? null)
    const before = this.#known.get(id)
    const known =
      before === undefined
        ? this.#born(spec)
        : { ...before, spec, generation: before.generation + (before.spec === spec ? 0 : 1) }
    this.#known.set(id, known)
    const specs = this.specs.get(known.uid) ?? new Map<number, unknown>()
    this.specs.set(known.uid, specs.set(known.generation, object['spec']))
    return known
  }

  #born(spec: string): Known {
    this.#uids += 1
    const createdMs = FIRST_MS + this.#uids * 1_000
    return { uid: `uid-${this.#uids}`, generation: 1, createdMs, spec }
  }

  remove(kind: Kind, namespace: string, name: string): this {
    this.#known.delete(`${kind} ${namespace}/${name}`)
    this.#store.drop(kind, namespace, name)
    return this
  }

  forbidSecrets(namespace: string, sentence: string | null): this {
    this.#store.forbidSecrets(namespace, sentence)
    return this
  }

  snapshot(): Snapshot {
    return this.#store.snapshot(this.#remembered)
  }

  /** Compiles, and remembers what the next snapshot has to know. */
  compile(by: (snapshot: Snapshot) => Compiled): Compiled {
    const compiled = by(this.snapshot())
    this.#remembered = compiled.remembered
    return compiled
  }

  /** For what only an earlier release can have accepted. */
  remember(memory: ReadonlyMap<string, Remembered>): this {
    this.#remembered = memory
    return this
  }

  /** As after a restart: what LastValid objects hold is all that is remembered. */
  restart(compiled: Compiled): this {
    this.#remembered = new Map(
      compiled.remembering.map(({ kind, namespace, name, ...memory }) => [
        `${kind} ${namespace}/${name}`,
        memory,
      ]),
    )
    return this
  }
}

/** The same objects in another order of namespaces and names. */
export function shuffled(snapshot: Snapshot, order: (size: number) => readonly number[]): Snapshot {
  function mix<V>(map: ReadonlyMap<string, V>): ReadonlyMap<string, V> {
    const entries = [...map]
    return new Map(order(entries.length).flatMap((i) => entries.slice(i, i + 1)))
  }
  const kinds = Object.fromEntries(
    Object.entries(snapshot.kinds).map(([kind, namespaces]) => [
      kind,
      mix(new Map([...namespaces].map(([namespace, names]) => [namespace, mix(names)]))),
    ]),
  ) as unknown as Snapshot['kinds']
  return { ...snapshot, kinds, remembered: mix(snapshot.remembered) }
}
