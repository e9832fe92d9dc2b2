/**
 * Where last valid specs outlive the process: LastValid objects in a cluster, a file in the state
 * folder otherwise. A spec is stored before the first table that depends on it is pushed, and
 * forgotten when its object has healed or gone.
 * Pinned by last-valid.test.ts: "a spec that was kept is remembered after a restart".
 */
import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Remembering } from '../compile/compiled.ts'
import {
  type Remembered,
  type RememberedPolicy,
  type Resource,
  resourceId,
  type Snapshot,
} from '../compile/snapshot.ts'
import { type KubeClient, KubeFailure, successOf } from '../kube/client.ts'
import { isRecord, listAt, numberAt, textAt } from '../kube/fields.ts'
import type { Logger } from '../log.ts'

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
  readonly log: Logger
}

/** A push is not held back for longer by an API server that does not take the object. */
const KEEP_WITHIN_MS = 3_000

export function clusterMemory(options: ClusterMemoryOptions): LastValidMemory {
  return {
    remembered: (snapshot) => fromObjects(snapshot),
    async keep(remembering, snapshot) {
      if (options.standing() === 'follows') return
      const missing = remembering.filter((entry) => isStored(entry, snapshot) === 'no')
      await Promise.all(missing.map((entry) => store(options, entry)))
    },
    async forget(remembering, snapshot) {
      if (options.standing() === 'follows') return
      const needed = new Set(remembering.map((entry) => `${entry.namespace}/${nameOf(entry)}`))
      const all = [...snapshot.kinds.LastValid.values()].flatMap((names) => [...names.values()])
      const spare = all.filter((object) => !needed.has(`${object.namespace}/${object.name}`))
      await Promise.all(spare.map((object) => remove(options, object)))
    },
  }
}

function nameOf(entry: Remembering): string {
  return `${entry.kind.toLowerCase()}.${entry.name}`.slice(0, 253)
}

function isStored(entry: Remembering, snapshot: Snapshot): 'yes' | 'no' {
  const object = snapshot.kinds.LastValid.get(entry.namespace)?.get(nameOf(entry))
  const of = object?.content['spec']
  return textAt(of, 'of', 'uid') === entry.uid &&
    numberAt(of, 'of', 'generation') === entry.generation
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
  return {
    remembered: () => stored,
    async keep(remembering) {
      if (remembering.length === 0 && stored.size === 0) return
      const next = new Map(stored)
      for (const entry of remembering) {
        next.set(resourceId(entry.kind, entry.namespace, entry.name), rememberedOf(entry))
      }
      if (!same(stored, next)) await writeStored(folder, next)
      stored = next
    },
    async forget(remembering) {
      const needed = new Set(
        remembering.map(({ kind, namespace, name }) => resourceId(kind, namespace, name)),
      )
      const next = new Map([...stored].filter(([id]) => needed.has(id)))
      if (next.size !== stored.size) await writeStored(folder, next)
      stored = next
    },
  }
}

function rememberedOf(entry: Remembering): Remembered {
  const { uid, generation, spec, policies } = entry
  return { uid, generation, spec, ...(policies === undefined ? {} : { policies }) }
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

/** Written aside, synced and renamed: a crash leaves the old file or the new one. */
async function writeStored(folder: string, stored: ReadonlyMap<string, Remembered>): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, FILE)
  const aside = `${path}.new`
  const file = await open(aside, 'w', 0o600)
  try {
    await file.writeFile(JSON.stringify(Object.fromEntries(stored)))
    await file.sync()
  } finally {
    await file.close()
  }
  await chmod(aside, 0o600)
  await rename(aside, path)
}
