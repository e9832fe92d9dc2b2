/**
 * The table that the workers run, as the main thread knows it: object by object, so that a delta can
 * be checked before anything is swapped and a snapshot changes only what differs.
 * Pinned by held.test.ts: "a change is accepted exactly when the plain twin accepts its result".
 */
import { hash as sha } from 'node:crypto'
import { checkAll, checkReferences, reach } from '#wire/check'
import { EMPTY_HASH, digestText, xorOf } from '#wire/digest'
import { TABLE_OBJECTS_MAX } from '#wire/limits'
import type { Reached } from '#wire/basis'
import type { Rejection } from '#wire/session'
import { objectId } from '#wire/table'
import type { ObjectKind, TableObject } from '#wire/table'
import type { TableChange } from './port.ts'

export interface Held {
  /** By `objectId`. The same map all the time: whoever needs one moment of it copies. */
  readonly objects: ReadonlyMap<string, TableObject>
  /** Null: nothing runs yet. */
  readonly hash: string | null
  readonly reached: Reached
  readonly rejected: readonly Rejection[]
  /** What a push would change. */
  plan(push: Push): Planned
  /** After the workers have swapped. */
  commit(change: TableChange, now: Pick<Held, 'reached' | 'rejected'>): void
}

/** What came between `begin` and `commit`. */
export interface Push {
  readonly from: 'snapshot' | 'delta'
  readonly puts: ReadonlyMap<string, TableObject>
  readonly drops: ReadonlyMap<string, Drop>
  /** Of the table after it, as the commit says. */
  readonly hash: string
}

export interface Drop {
  readonly kind: ObjectKind
  readonly key: string
}

export type Planned =
  | { readonly kind: 'change'; readonly change: TableChange }
  | { readonly kind: 'refused'; readonly because: string }

export const NOTHING_REACHED: Reached = { epoch: '0', basis: {} }

export function digestOf(object: Omit<TableObject, 'digest'>): string {
  return sha('sha256', digestText(object), 'hex')
}

export function createHeld(): Held {
  const objects = new Map<string, TableObject>()
  let hash: string | null = null
  let reached = NOTHING_REACHED
  let rejected: readonly Rejection[] = []

  return {
    objects,
    get hash() {
      return hash
    },
    get reached() {
      return reached
    },
    get rejected() {
      return rejected
    },
    plan(push) {
      const change = changeOf(push, { objects, from: hash === null ? 'snapshot' : 'delta' })
      const because = refusal(change, objects, hash ?? EMPTY_HASH)
      return because === null ? { kind: 'change', change } : { kind: 'refused', because }
    },
    commit(change, now) {
      for (const { kind, key } of change.drops) objects.delete(objectId(kind, key))
      for (const object of change.puts) objects.set(objectId(object.kind, object.key), object)
      hash = change.hash
      reached = now.reached
      rejected = now.rejected
    },
  }
}

type Objects = ReadonlyMap<string, TableObject>

/** A snapshot of what mostly runs already is a small change, such as after a controller's restart. */
function changeOf(
  push: Push,
  running: { readonly objects: Objects; readonly from: TableChange['from'] },
): TableChange {
  const { objects, from } = running
  const puts = [...push.puts]
    .filter(([id, object]) => objects.get(id)?.digest !== object.digest)
    .map(([, object]) => object)
  const drops: Drop[] =
    push.from === 'delta'
      ? [...push.drops.values()]
      : [...objects].filter(([id]) => !push.puts.has(id)).map(([, object]) => object)
  return {
    from,
    puts,
    drops: drops.map(({ kind, key }) => ({ kind, key })),
    hash: push.hash,
  }
}

function refusal(change: TableChange, objects: Objects, runningHash: string): string | null {
  const digests = [runningHash]
  const puts = new Map<string, TableObject>()
  const gone = new Set<string>()
  for (const { kind, key } of change.drops) {
    const id = objectId(kind, key)
    const before = objects.get(id)
    if (before === undefined) return `it drops ${kind} "${key}", which does not run`
    digests.push(before.digest)
    gone.add(id)
  }
  for (const object of change.puts) {
    const id = objectId(object.kind, object.key)
    const before = objects.get(id)
    digests.push(object.digest, ...(before === undefined ? [] : [before.digest]))
    puts.set(id, object)
  }
  if (xorOf(digests) !== change.hash) return 'its hash does not fit what was put and dropped'
  return brokenReference(change, { objects, puts, gone })
}

interface After {
  readonly objects: Objects
  readonly puts: Objects
  readonly gone: ReadonlySet<string>
}

function brokenReference(change: TableChange, after: After): string | null {
  const { objects, puts, gone } = after
  if (objects.size + puts.size - gone.size > TABLE_OBJECTS_MAX) {
    return `it has more than ${TABLE_OBJECTS_MAX} objects`
  }
  const lookup = (kind: ObjectKind, key: string): TableObject | undefined => {
    const id = objectId(kind, key)
    return puts.get(id) ?? (gone.has(id) ? undefined : objects.get(id))
  }
  const wide =
    change.from === 'snapshot' ||
    change.drops.length > 0 ||
    change.puts.some((object) => reach(lookupOld(objects, object), object) === 'others')
  if (wide) return checkAll(objectsAfter(after), lookup)?.sentence ?? null
  for (const object of change.puts) {
    const found = checkReferences(object, lookup)
    if (found !== null) return found.sentence
  }
  return null
}

function lookupOld(objects: Objects, { kind, key }: TableObject): TableObject | undefined {
  return objects.get(objectId(kind, key))
}

function* objectsAfter({ objects, puts, gone }: After): Generator<TableObject> {
  yield* puts.values()
  for (const [id, object] of objects) if (!gone.has(id) && !puts.has(id)) yield object
}
