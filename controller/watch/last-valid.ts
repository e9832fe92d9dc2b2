/**
 * Where last valid specs outlive the process: LastValid objects in a cluster, a file in the state
 * folder otherwise. A spec is stored before the first table that depends on it is pushed, and
 * forgotten when its object has healed or gone.
 * Pinned by last-valid.test.ts: "a spec that was kept is remembered after a restart".
 */
import { createHash } from 'node:crypto'
import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Remembering } from '../compile/compiled.ts'
import {
  type Remembered,
  type RememberedPolicy,
  type Resource,
  resourceId,
  type Snapshot,
} from '../compile/snapshot.ts'
import { type KubeClient, KubeFailure, successOf } from '../kube/client.ts'
import { isRecord } from '../../crds/inspect.ts'
import { listAt, numberAt, textAt } from '../kube/fields.ts'
import type { Logger } from '../log.ts'
import { writeWhole } from '../state-file.ts'

export interface LastValidMemory {
  /** What was kept before this process: for the first snapshot, or as the watch reads it. */
  remembered(snapshot: Snapshot): ReadonlyMap<string, Remembered>
  /** Resolves once all of these are stored, or cannot be for now; what is no longer among them may go. */
  keep(remembering: readonly Remembering[], snapshot: Snapshot): Promise<void>
  /** After the push: those that nothing depends on any more. */
  forget(remembering: readonly Remembering[], snapshot: Snapshot): Promise<void>
}

const NONE: ReadonlyMap<string, Remembered> = new Map()

// ---- in a cluster ---------------------------------------------------------------------------

export interface ClusterMemoryOptions {
  readonly client: KubeClient
  readonly apiVersion: string
  readonly standing: () => 'leads' | 'follows'
  /** The LastValid object of this name, as the watch has it now. */
  readonly current: (namespace: string, name: string) => Resource | null
  readonly log: Logger
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/** A push is not held back for longer by an API server, or a leader, that does not take the object. */
const KEEP_WITHIN_MS = 3_000
/** What was not taken is not offered again with every change. */
const AGAIN_AFTER_MS = 30_000
const LOOK_EVERY_MS = 25
const WRITES_AT_ONCE = 8
const NAME_LENGTH_MAX = 253

export function clusterMemory(options: ClusterMemoryOptions): LastValidMemory {
  return new ClusterMemory(options)
}

class ClusterMemory implements LastValidMemory {
  readonly #options: ClusterMemoryOptions
  /** Attempts to store something, by what it is: the watch shows success only later. */
  readonly #attempts = new Map<string, number>()

  constructor(options: ClusterMemoryOptions) {
    this.#options = options
  }

  remembered(snapshot: Snapshot): ReadonlyMap<string, Remembered> {
    return fromObjects(snapshot)
  }

  async keep(remembering: readonly Remembering[]): Promise<void> {
    const now = this.#options.now()
    for (const [mark, atMs] of this.#attempts) {
      if (now - atMs > AGAIN_AFTER_MS) this.#attempts.delete(mark)
    }
    const missing = remembering.filter((entry) => this.#isDue(entry) === 'yes')
    for (const entry of missing) this.#attempts.set(markOf(entry), now)
    if (this.#options.standing() === 'follows') await this.#untilTheLeaderHas(missing)
    else await inParts(missing, (entry) => store(this.#options, entry))
  }

  #isDue(entry: Remembering): 'yes' | 'no' {
    if (this.#attempts.has(markOf(entry))) return 'no'
    return isStored(entry, this.#options.current) === 'yes' ? 'no' : 'yes'
  }

  /** Every replica pushes, and one of them writes: the others wait for what it writes. */
  async #untilTheLeaderHas(missing: readonly Remembering[]): Promise<void> {
    const { current, now, standing } = this.#options
    const untilMs = now() + KEEP_WITHIN_MS
    while (now() < untilMs && standing() === 'follows') {
      if (missing.every((entry) => isStored(entry, current) === 'yes')) return
      await delay(LOOK_EVERY_MS)
    }
    // Nobody has stored them: should we lead soon, they are due.
    for (const entry of missing) this.#attempts.delete(markOf(entry))
  }

  async forget(remembering: readonly Remembering[], snapshot: Snapshot): Promise<void> {
    if (this.#options.standing() === 'follows') return
    const needed = new Set(remembering.map((entry) => `${entry.namespace}/${nameOf(entry)}`))
    const all = [...snapshot.kinds.LastValid.values()].flatMap((names) => [...names.values()])
    const spare = all.filter((object) => !needed.has(`${object.namespace}/${object.name}`))
    await inParts(spare, (object) => remove(this.#options, object))
  }
}

async function inParts<T>(all: readonly T[], each: (one: T) => Promise<void>): Promise<void> {
  for (let i = 0; i < all.length; i += WRITES_AT_ONCE) {
    await Promise.all(all.slice(i, i + WRITES_AT_ONCE).map(each))
  }
}

function markOf({ uid, generation, policies = [] }: Remembering): string {
  const marks = policies.map((policy) => `${policy.uid}@${policy.generation}`)
  return `${uid}@${generation} ${marks.join()}`
}

/** One object for each that is remembered; a name that would be too long is told by its hash. */
function nameOf({ kind, name }: Pick<Remembering, 'kind' | 'name'>): string {
  const whole = `${kind.toLowerCase()}.${name}`
  if (whole.length <= NAME_LENGTH_MAX) return whole
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 16)
  return `${kind.toLowerCase()}.${hash}`
}

function isStored(entry: Remembering, current: ClusterMemoryOptions['current']): 'yes' | 'no' {
  const spec = current(entry.namespace, nameOf(entry))?.content['spec']
  const stored = entryOf(spec)?.remembered
  if (stored === undefined) return 'no'
  return markOf({ ...entry, ...stored, policies: stored.policies ?? [] }) === markOf(entry)
    ? 'yes'
    : 'no'
}

async function store(options: ClusterMemoryOptions, entry: Remembering): Promise<void> {
  const { kind, namespace, name, uid, generation, spec, policies } = entry
  const { apiVersion, client, log } = options
  const body = {
    apiVersion,
    kind: 'LastValid',
    metadata: {
      namespace,
      name: nameOf(entry),
      ownerReferences: [{ apiVersion, kind, name, uid }],
    },
    spec: {
      of: { kind, name, uid, generation },
      spec,
      ...(policies === undefined ? {} : { policies }),
    },
  }
  try {
    const answer = await client.request({
      method: 'PATCH',
      path: `/apis/${apiVersion}/namespaces/${namespace}/lastvalids/${nameOf(entry)}`,
      query: { fieldManager: 'fairlead', force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body,
      signal: AbortSignal.timeout(KEEP_WITHIN_MS),
    })
    successOf(answer)
  } catch (error) {
    log.error(
      { object: `${namespace}/${name}` },
      `its last valid spec could not be stored: ${String(error)}`,
    )
  }
}

async function remove(options: ClusterMemoryOptions, object: Resource): Promise<void> {
  const path = `/apis/${options.apiVersion}/namespaces/${object.namespace}/lastvalids/${object.name}`
  const body = { preconditions: { uid: object.uid } }
  try {
    successOf(await options.client.request({ method: 'DELETE', path, body }))
  } catch (error) {
    const status = error instanceof KubeFailure ? error.status : 0
    if (status === 404 || status === 409) return
    options.log.warn(
      { object: `${object.namespace}/${object.name}` },
      `LastValid not removed: ${String(error)}`,
    )
  }
}

function fromObjects(snapshot: Snapshot): ReadonlyMap<string, Remembered> {
  const found = new Map<string, Remembered>()
  for (const [namespace, names] of snapshot.kinds.LastValid) {
    for (const object of names.values()) {
      const entry = entryOf(object.content['spec'])
      if (entry !== null) found.set(resourceId(entry.kind, namespace, entry.name), entry.remembered)
    }
  }
  return found
}

interface Entry {
  readonly kind: string
  readonly name: string
  readonly remembered: Remembered
}

function entryOf(stored: unknown): Entry | null {
  const kind = textAt(stored, 'of', 'kind')
  const name = textAt(stored, 'of', 'name')
  const uid = textAt(stored, 'of', 'uid')
  const generation = numberAt(stored, 'of', 'generation')
  const spec = isRecord(stored) ? stored['spec'] : null
  if (kind === null || name === null || uid === null || generation === null || !isRecord(spec))
    return null
  const policies = listAt(stored, 'policies').filter(isPolicy)
  const remembered = { uid, generation, spec, ...(policies.length === 0 ? {} : { policies }) }
  return { kind, name, remembered }
}

/** Written by ourselves; whatever else stands there counts for nothing. */
function isPolicy(value: unknown): value is RememberedPolicy {
  return (
    (textAt(value, 'kind') === 'AuthPolicy' || textAt(value, 'kind') === 'RateLimitPolicy') &&
    ['namespace', 'name', 'uid'].every((field) => textAt(value, field) !== null) &&
    ['generation', 'createdMs'].every((field) => numberAt(value, field) !== null) &&
    textAt(value, 'target', 'kind') !== null
  )
}

// ---- for a folder ---------------------------------------------------------------------------

const FILE = 'last-valid.json'

/** `folder` is the state folder, which exists and belongs to us. */
export async function folderMemory(folder: string, log: Logger): Promise<LastValidMemory> {
  let stored = await readStored(folder, log)
  /** A full disk must not keep a tighter policy from being pushed: what failed is due again. */
  async function become(next: ReadonlyMap<string, Remembered>): Promise<void> {
    try {
      await writeWhole(join(folder, FILE), textOf(next))
      stored = next
    } catch (error) {
      log.error({ folder, error: String(error) }, NOT_STORED)
    }
  }
  return {
    remembered: () => stored,
    async keep(remembering) {
      if (remembering.length === 0 && stored.size === 0) return
      const next = new Map(stored)
      for (const entry of remembering) {
        next.set(resourceId(entry.kind, entry.namespace, entry.name), rememberedOf(entry))
      }
      if (!same(stored, next)) await become(next)
    },
    async forget(remembering) {
      const needed = new Set(
        remembering.map(({ kind, namespace, name }) => resourceId(kind, namespace, name)),
      )
      const next = new Map([...stored].filter(([id]) => needed.has(id)))
      if (next.size !== stored.size) await become(next)
    },
  }
}

const NOT_STORED =
  'last valid specs could not be stored; after a restart those objects would be broken'

function rememberedOf(entry: Remembering): Remembered {
  const { uid, generation, spec, policies } = entry
  return { uid, generation, spec, ...(policies === undefined ? {} : { policies }) }
}

function textOf(stored: ReadonlyMap<string, Remembered>): string {
  return JSON.stringify(Object.fromEntries(stored))
}

function same(a: ReadonlyMap<string, Remembered>, b: ReadonlyMap<string, Remembered>): boolean {
  return JSON.stringify([...a]) === JSON.stringify([...b])
}

async function readStored(folder: string, log: Logger): Promise<ReadonlyMap<string, Remembered>> {
  const path = join(folder, FILE)
  const text = await readFile(path, 'utf8').catch(() => null)
  if (text === null) return NONE
  try {
    const parsed: unknown = JSON.parse(text)
    const found = new Map<string, Remembered>()
    for (const [id, value] of Object.entries(isRecord(parsed) ? parsed : {})) {
      const entry = entryOf({
        ...(isRecord(value) ? value : {}),
        of: { kind: '-', name: '-', ...partsOf(value) },
      })
      if (entry !== null) found.set(id, entry.remembered)
    }
    return found
  } catch {
    const aside = `${path}.corrupt`
    await rename(path, aside).catch(() => {})
    log.warn({ file: aside }, 'last valid specs could not be read; the file was set aside')
    return NONE
  }
}

function partsOf(value: unknown): { uid?: unknown; generation?: unknown } {
  return isRecord(value) ? { uid: value['uid'], generation: value['generation'] } : {}
}
