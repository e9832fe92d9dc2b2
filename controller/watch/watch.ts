/**
 * The cluster as a source: one reflector per kind, and for Secrets one per namespace that something
 * refers to. Configuration walk: WATCH → snapshot → compile → push → ack → status.
 * Pinned by test/cluster/walk.test.ts: "an applied route answers requests".
 */
import { OWN_KINDS } from '../compile/snapshot.ts'
import type { Installation, Kind, Remembered, Resource } from '../compile/snapshot.ts'
import { at } from '../kube/fields.ts'
import type { KubeClient, KubeFailure } from '../kube/client.ts'
import type { Logger } from '../log.ts'
import { ingest } from './ingest.ts'
import { collectionPath, WATCHED_KINDS, type WatchedKind } from './kinds.ts'
import { type Reflector, type ReflectorSink, startReflector } from './reflector.ts'
import { createSecretReferences } from './secret-references.ts'
import type { Changed, Source } from './source.ts'
import { createStore, type Store } from './store.ts'

export interface WatchOptions {
  readonly client: KubeClient
  readonly installation: Installation
  /** `namespaced`: only namespaces whose objects refer to Secrets; `cluster`: all at once. */
  readonly secrets: 'namespaced' | 'cluster'
  readonly changed: Changed
  readonly log: Logger
}

export function watchCluster(options: WatchOptions): Source {
  const watching = new Watching(options)
  return {
    synced: watching.synced,
    snapshot: (remembered: ReadonlyMap<string, Remembered>) => watching.store.snapshot(remembered),
    current: (kind, namespace, name) => watching.store.get(kind, namespace, name),
    version: (kind, namespace, name) => watching.store.version(kind, namespace, name),
    statusBefore: (kind, namespace, name) => watching.store.status(kind, namespace, name),
    close: async () => watching.stop(),
  }
}

class Watching {
  readonly store: Store
  readonly synced: Promise<void>
  readonly #options: WatchOptions
  readonly #references = createSecretReferences()
  readonly #reflectors = new Map<string, Reflector>()
  /** Reflectors that have neither listed nor been refused yet: no snapshot is due before. */
  readonly #pending = new Set<string>()
  readonly #syncedResolvers = Promise.withResolvers<void>()
  #announced: 'no' | 'yes' = 'no'

  constructor(options: WatchOptions) {
    this.#options = options
    this.store = createStore(() => options.installation)
    this.synced = this.#syncedResolvers.promise
    for (const watched of WATCHED_KINDS) {
      if (watched.kind === 'Secret' && options.secrets === 'namespaced') continue
      this.#start(watched, null)
    }
  }

  stop(): void {
    for (const reflector of this.#reflectors.values()) reflector.stop()
  }

  #start(watched: WatchedKind, namespace: string | null): void {
    const id = namespace === null ? watched.kind : `${watched.kind} ${namespace}`
    if (this.#reflectors.has(id)) return
    this.#pending.add(id)
    const { client, log } = this.#options
    const reflector = startReflector({
      client,
      path: collectionPath(watched, namespace),
      query: {},
      whenUnknown: watched.whenUnknown,
      sink: this.#sink(watched, namespace, id),
      log,
      random: Math.random,
      wait: waitFor,
    })
    this.#reflectors.set(id, reflector)
  }

  #sink(watched: WatchedKind, namespace: string | null, id: string): ReflectorSink {
    const { store } = this
    const withStatus = OWN_KINDS.some((kind) => kind === watched.kind)
    const read = (object: unknown): Resource => {
      const resource = ingest(watched.kind, object)
      if (withStatus) store.sawStatus(resource, at(object, 'status'))
      return resource
    }
    const advance = (version: string): void => store.reached(id, version)
    return {
      replace: (objects, version) => {
        store.replace(watched.kind, namespace, objects.map(read))
        if (namespace !== null) store.forbidSecrets(namespace, null)
        advance(version)
        this.#settled(id)
      },
      put: (object, version) => {
        store.put(read(object))
        advance(version)
        this.#changed()
      },
      drop: (object, version) => {
        const gone = read(object)
        store.drop(gone.kind, gone.namespace, gone.name)
        advance(version)
        this.#changed()
      },
      bookmark: advance,
      failed: (failure) => this.#failed(watched.kind, namespace, failure, id),
    }
  }

  /** A namespace whose Secrets are closed to us hurts what refers there, and nothing else. */
  #failed(kind: Kind, namespace: string | null, failure: KubeFailure, id: string): void {
    if (kind !== 'Secret' || namespace === null || failure.status !== 403) return
    this.store.forbidSecrets(namespace, grantSentence(namespace))
    this.store.replace('Secret', namespace, [])
    this.#settled(id)
  }

  #settled(id: string): void {
    this.#pending.delete(id)
    this.#changed()
  }

  #changed(): void {
    if (this.#announced === 'yes') return
    this.#announced = 'yes'
    setImmediate(() => {
      this.#announced = 'no'
      this.#announce()
    })
  }

  #announce(): void {
    if (this.#pending.size > 0) return
    if (this.#options.secrets === 'namespaced') this.#followSecrets()
    if (this.#pending.size > 0) return
    this.#syncedResolvers.resolve()
    this.#options.changed()
  }

  #followSecrets(): void {
    const secret = WATCHED_KINDS.find((watched) => watched.kind === 'Secret')
    if (secret === undefined) return
    const wanted = this.#references.namespaces((kind) => this.store.all(kind))
    for (const namespace of wanted) this.#start(secret, namespace)
    for (const [id, reflector] of this.#reflectors) {
      const namespace = id.startsWith('Secret ') ? id.slice('Secret '.length) : null
      if (namespace === null || wanted.has(namespace)) continue
      reflector.stop()
      this.#reflectors.delete(id)
      this.#pending.delete(id)
      this.store.replace('Secret', namespace, [])
      this.store.forbidSecrets(namespace, null)
    }
  }
}

function grantSentence(namespace: string): string {
  return (
    `Secrets of namespace "${namespace}" may not be read; grant it with: kubectl -n ${namespace} ` +
    'create rolebinding fairlead-secrets --clusterrole=fairlead-secrets ' +
    '--serviceaccount=fairlead-system:fairlead-controller'
  )
}

function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    function done(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    signal.addEventListener('abort', done)
  })
}
