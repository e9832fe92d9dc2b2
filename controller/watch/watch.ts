/**
 * The cluster as a source: one reflector per kind, and for Secrets one per namespace that something
 * refers to. Configuration walk: WATCH → snapshot → compile → push → ack → status.
 * Pinned by test/cluster/walk.test.ts: "an applied route answers requests".
 */
import { OWN_KINDS } from '../compile/snapshot.ts'
import {
  type Installation,
  type Remembered,
  type Resource,
  resourceId,
} from '../compile/snapshot.ts'
import { at } from '../kube/fields.ts'
import type { KubeClient, KubeFailure } from '../kube/client.ts'
import type { Logger } from '../log.ts'
import { ingest } from './ingest.ts'
import { collectionPath, SECRETS, WATCHED_KINDS, type WatchedKind } from './kinds.ts'
import { type Reflector, type ReflectorSink, startReflector } from './reflector.ts'
import { createSecretReferences } from './secret-references.ts'
import type { Changed, Source } from './source.ts'
import { createStore, type Store } from './store.ts'

export interface WatchOptions {
  readonly client: KubeClient
  readonly installation: Installation
  /** `namespaced`: only namespaces whose objects refer to Secrets; `cluster`: all at once. */
  readonly secrets: 'namespaced' | 'cluster'
  /** The command that lets us read the Secrets of a namespace; null: of all. */
  readonly grantLine: (namespace: string | null) => string
  readonly changed: Changed
  /** A status was read that may not be what we wrote. */
  readonly statusSeen: (id: string) => void
  readonly log: Logger
}

export interface ClusterSource extends Source {
  /** Reads a type of the basis anew, once in a while: somebody has seen more of it. */
  catchUp(type: string): void
}

export function watchCluster(options: WatchOptions): ClusterSource {
  const watching = new Watching(options)
  return {
    synced: watching.synced,
    snapshot: (remembered: ReadonlyMap<string, Remembered>) => watching.store.snapshot(remembered),
    current: (kind, namespace, name) => watching.store.get(kind, namespace, name),
    version: (kind, namespace, name) => watching.store.version(kind, namespace, name),
    statusBefore: (kind, namespace, name) => watching.store.status(kind, namespace, name),
    catchUp: (type) => watching.catchUp(type),
    close: async () => watching.stop(),
  }
}

/** A list may be large, and a data plane that is ahead asks every second. */
const CATCH_UP_EVERY_MS = 10_000

/** Versions move without anything to compile; a data plane that comes is told of them by then. */
const MOVED_AFTER_MS = 1_000
/** A namespace whose Secrets do not come holds up everybody else for so long, and no longer. */
const HOLD_UP_MS = 2_000
/** The same before the first table: until then data planes have what they had. */
const HOLD_UP_AT_START_MS = 30_000

class Watching {
  readonly store: Store
  readonly synced: Promise<void>
  readonly #options: WatchOptions
  readonly #references = createSecretReferences()
  readonly #reflectors = new Map<string, Reflector>()
  /** Reflectors that have neither listed nor been refused yet: no snapshot is due before. */
  readonly #pending = new Set<string>()
  readonly #syncedResolvers = Promise.withResolvers<void>()
  readonly #caughtUp = new Map<string, number>()
  #phase: 'starting' | 'synced' | 'stopped' = 'starting'
  #announcing: NodeJS.Immediate | null = null
  #later: NodeJS.Timeout | null = null
  /** Since when Secrets hold something up; null: they do not. */
  #heldSinceMs: number | null = null
  /** Mode `cluster`, and the Secrets are closed to us. */
  #allClosed: 'no' | 'yes' = 'no'

  constructor(options: WatchOptions) {
    this.#options = options
    this.store = createStore(() => options.installation)
    this.synced = this.#syncedResolvers.promise
    for (const watched of WATCHED_KINDS) {
      if (watched.kind === 'Secret' && options.secrets === 'namespaced') continue
      this.#start(watched, null)
    }
  }

  catchUp(type: string): void {
    const now = performance.now()
    if (now - (this.#caughtUp.get(type) ?? Number.NEGATIVE_INFINITY) < CATCH_UP_EVERY_MS) return
    this.#caughtUp.set(type, now)
    this.#reflectors.get(type)?.relist()
  }

  stop(): void {
    this.#phase = 'stopped'
    for (const reflector of this.#reflectors.values()) reflector.stop()
    if (this.#announcing !== null) clearImmediate(this.#announcing)
    if (this.#later !== null) clearTimeout(this.#later)
  }

  // ---- what reflectors bring -----------------------------------------------------------------

  #start(watched: WatchedKind, namespace: string | null): void {
    const id = namespace === null ? watched.kind : `${watched.kind} ${namespace}`
    if (this.#reflectors.has(id)) return
    this.#pending.add(id)
    const { client, log } = this.#options
    const reflector = startReflector({
      client,
      path: collectionPath(watched, namespace),
      whenUnknown: watched.whenUnknown,
      sink: this.#sink(watched, namespace, id),
      log,
      random: Math.random,
      now: () => performance.now(),
      wait: waitFor,
    })
    this.#reflectors.set(id, reflector)
  }

  #sink(watched: WatchedKind, namespace: string | null, id: string): ReflectorSink {
    const { store } = this
    const advance = (version: string): void => {
      store.reached(id, version)
      this.#moved()
    }
    return {
      replace: (objects, version) => {
        store.replace(
          watched.kind,
          namespace,
          objects.map((object) => this.#read(watched, object)),
        )
        if (watched.kind === 'Secret') this.#opened(namespace)
        store.reached(id, version)
        this.#settled(id)
      },
      put: (object, version) => {
        if (store.put(this.#read(watched, object)) === 'changed') this.#changed()
        advance(version)
      },
      drop: (object, version) => {
        const gone = ingest(watched.kind, object)
        if (store.drop(gone.kind, gone.namespace, gone.name) === 'changed') this.#changed()
        advance(version)
      },
      bookmark: advance,
      failed: (failure) => this.#failed(watched, namespace, failure, id),
    }
  }

  #read({ kind }: WatchedKind, object: unknown): Resource {
    const resource = ingest(kind, object)
    if (OWN_KINDS.some((own) => own === kind)) {
      this.store.sawStatus(resource, at(object, 'status'))
      this.#options.statusSeen(resourceId(kind, resource.namespace, resource.name))
    }
    return resource
  }

  #opened(namespace: string | null): void {
    if (namespace !== null) this.store.forbidSecrets(namespace, null)
    else if (this.#allClosed === 'yes') {
      this.#allClosed = 'no'
      for (const wanted of this.#wanted()) this.store.forbidSecrets(wanted, null)
    }
  }

  /**
   * Secrets that are closed to us hurt what refers to them, and nothing else; and those that were
   * read once stay while they cannot be read again.
   */
  #failed(
    { kind, whenUnknown }: WatchedKind,
    namespace: string | null,
    failure: KubeFailure,
    id: string,
  ): void {
    if (failure.status !== 403 || !this.#pending.has(id)) return
    if (kind === 'Secret') {
      if (namespace === null) this.#allClosed = 'yes'
      else this.store.forbidSecrets(namespace, this.#closedSentence(namespace))
      this.#settled(id)
    } else if (whenUnknown === 'empty') this.#settled(id)
  }

  #closedSentence(namespace: string): string {
    const { grantLine, secrets } = this.#options
    const line = grantLine(secrets === 'cluster' ? null : namespace)
    return `Secrets of namespace "${namespace}" may not be read; grant it with: ${line}`
  }

  #settled(id: string): void {
    this.#pending.delete(id)
    this.#changed()
  }

  // ---- what the walk hears -------------------------------------------------------------------

  #changed(): void {
    if (this.#announcing !== null || this.#phase === 'stopped') return
    this.#announcing = setImmediate(() => {
      this.#announcing = null
      this.#announce()
    })
  }

  #moved(): void {
    if (this.#phase === 'synced') this.#changedIn(MOVED_AFTER_MS)
  }

  #changedIn(ms: number): void {
    if (this.#later !== null) return
    this.#later = setTimeout(() => {
      this.#later = null
      this.#changed()
    }, ms)
  }

  #announce(): void {
    if (this.#phase === 'starting' && [...this.#pending].some(isNoSecret)) return
    this.#followSecrets()
    if (this.#isHeldUp() === 'yes') return
    if (this.#phase === 'starting') this.#phase = 'synced'
    this.#syncedResolvers.resolve()
    this.#options.changed()
  }

  #isHeldUp(): 'yes' | 'no' {
    const held = [...this.#pending].filter((id) => !isNoSecret(id))
    if (held.length === 0) {
      this.#heldSinceMs = null
      return 'no'
    }
    const now = performance.now()
    this.#heldSinceMs ??= now
    const leftMs =
      this.#heldSinceMs + (this.#phase === 'starting' ? HOLD_UP_AT_START_MS : HOLD_UP_MS) - now
    if (leftMs > 0) {
      this.#changedIn(Math.min(leftMs + 1, MOVED_AFTER_MS))
      return 'yes'
    }
    for (const id of held) {
      const namespace = namespaceOf(id)
      this.store.forbidSecrets(namespace, `Secrets of namespace "${namespace}" cannot be read yet.`)
    }
    return 'no'
  }

  #wanted(): ReadonlySet<string> {
    return this.#references.namespaces((kind) => this.store.all(kind))
  }

  #followSecrets(): void {
    const wanted = this.#wanted()
    if (this.#options.secrets === 'cluster') {
      if (this.#allClosed === 'no') return
      for (const namespace of wanted) {
        this.store.forbidSecrets(namespace, this.#closedSentence(namespace))
      }
      return
    }
    for (const namespace of wanted) this.#start(SECRETS, namespace)
    for (const [id, reflector] of this.#reflectors) {
      if (isNoSecret(id) || wanted.has(namespaceOf(id))) continue
      reflector.stop()
      this.#reflectors.delete(id)
      this.#pending.delete(id)
      this.store.replace('Secret', namespaceOf(id), [])
      this.store.forbidSecrets(namespaceOf(id), null)
    }
  }
}

const PREFIX = 'Secret '

function isNoSecret(id: string): boolean {
  return !id.startsWith(PREFIX)
}

function namespaceOf(id: string): string {
  return id.slice(PREFIX.length)
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
