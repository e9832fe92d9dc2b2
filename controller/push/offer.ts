/**
 * What is offered to the data planes of one gateway: the newest table, and by which changes older
 * ones become it, so that a delta never walks the whole table. Versions count the tables of this
 * process's life; they never leave it.
 * Pinned by offer.test.ts: "a delta from any version that is remembered leads to the newest table".
 */
import type { CompiledObject, CompiledTable } from '../compile/compiled.ts'
import { check, checkReferences, reach } from '#wire/check'
import type { Lookup } from '#wire/check'
import { TABLE_BYTES_MAX, TABLE_OBJECTS_MAX } from '#wire/limits'
import type { Basis } from '#wire/session'
import { OBJECT_KINDS, objectId } from '#wire/table'
import type { ObjectKind } from '#wire/table'
import type { Encoder } from './encode.ts'
import { createSources } from './sources.ts'
import type { SourceVersions } from './sources.ts'

export interface Offer {
  readonly version: number
  readonly table: CompiledTable
  readonly basis: Basis
  readonly epoch: string
  /** W3C traceparent of the change, or null. */
  readonly trace: string | null
}

export interface Changes {
  readonly puts: readonly CompiledObject[]
  readonly drops: readonly { readonly kind: ObjectKind; readonly key: string }[]
}

export interface Offers {
  readonly newest: Offer | null
  accept(offer: Omit<Offer, 'version'>): Accepted
  /** Null: too old to tell; a snapshot leads there. */
  changesSince(version: number): Changes | null
  /** The version whose table has this hash; null: not one of this process's, or forgotten. */
  versionOf(hash: string): number | null
  readonly sources: SourceVersions
  /** Keys of the backends of the newest table. */
  readonly backends: ReadonlySet<string>
}

export type Accepted =
  | {
      readonly kind: 'newTable'
      /** Backends that are new to it, and those that it names no more. */
      readonly added: readonly string[]
      readonly removed: readonly string[]
    }
  /** Only the basis moved, which is no reason to push. */
  | { readonly kind: 'sameTable' }
  /** A bug of compile: no data plane could run it, and the table before remains the newest. */
  | { readonly kind: 'unsendable'; readonly because: string }

/** What one table changed: by `objectId`, the form before, or null where there was none. */
type Touched = ReadonlyMap<string, Before | null>

/** Little enough to be kept for every change: not the object itself. */
interface Before {
  readonly kind: ObjectKind
  readonly key: string
  readonly digest: string
}

interface Step {
  readonly version: number
  readonly hash: string
  readonly touched: Touched
}

/** Data planes that were away for longer than this many tables take a snapshot. */
const STEPS_MAX = 1_000
/** Changes remembered over all steps, about 200 bytes each. */
const CHANGES_MAX = 200_000

export function createOffers(encoder: Encoder): Offers {
  const steps: Step[] = []
  const sources = createSources()
  const backends = new Set<string>()
  let remembered = 0
  /** Of the newest table, as a snapshot of it is counted. */
  let bytes = 0
  let newest: Offer | null = null

  function remember(step: Step): void {
    steps.push(step)
    remembered += step.touched.size
    while (steps.length > 1 && (steps.length > STEPS_MAX || remembered > CHANGES_MAX)) {
      remembered -= steps.shift()?.touched.size ?? 0
    }
  }

  return {
    get newest() {
      return newest
    },
    sources,
    backends,
    accept(offer) {
      const last = newest
      if (last !== null && last.table.hash === offer.table.hash) {
        newest = { ...offer, version: last.version }
        return { kind: 'sameTable' }
      }
      const before: Objects = last?.table.objects ?? new Map()
      const changed = changesBetween(before, offer.table.objects)
      const weighed = weigh(changed, offer.table.objects, { bytes, encoder })
      if (weighed.kind === 'unsendable') return weighed
      bytes = weighed.bytes
      const version = (last?.version ?? 0) + 1
      for (const change of changed) sources.apply(change.before, change.after, version)
      // Nothing leads to the first table but a snapshot.
      const touched = last === null ? new Map() : touchedBy(changed)
      remember({ version, hash: offer.table.hash, touched })
      newest = { ...offer, version }
      return { kind: 'newTable', ...backendsOf(changed, backends) }
    },
    changesSince(version) {
      const first = steps[0]
      if (first === undefined || newest === null || version < first.version) return null
      return merged(steps, version, newest.table.objects)
    },
    versionOf(hash) {
      return steps.findLast((step) => step.hash === hash)?.version ?? null
    },
  }
}

type Objects = ReadonlyMap<string, CompiledObject>

interface Change {
  readonly id: string
  readonly before: CompiledObject | undefined
  readonly after: CompiledObject | null
}

/** Compares identities first: objects that did not change are the same ones in both tables. */
function changesBetween(from: Objects, to: Objects): readonly Change[] {
  const changes: Change[] = []
  let kept = 0
  for (const [id, after] of to) {
    const before = from.get(id)
    if (before !== undefined) kept += 1
    if (before !== after && before?.digest !== after.digest) changes.push({ id, before, after })
  }
  if (kept === from.size) return changes
  for (const [id, before] of from) {
    if (!to.has(id)) changes.push({ id, before, after: null })
  }
  return changes
}

/** Keeps the set, and says what of it is new and what is gone. */
function backendsOf(
  changes: readonly Change[],
  backends: Set<string>,
): { readonly added: readonly string[]; readonly removed: readonly string[] } {
  const added: string[] = []
  const removed: string[] = []
  for (const { before, after } of changes) {
    if (after?.kind === 'backend' && before === undefined) added.push(after.key)
    if (before?.kind === 'backend' && after === null) removed.push(before.key)
  }
  for (const key of added) backends.add(key)
  for (const key of removed) backends.delete(key)
  return { added, removed }
}

function touchedBy(changes: readonly Change[]): Touched {
  const touched = new Map<string, Before | null>()
  for (const { id, before } of changes) {
    if (before === undefined) touched.set(id, null)
    else touched.set(id, { kind: before.kind, key: before.key, digest: before.digest })
  }
  return touched
}

/** The assertion before the push; what it lets pass no data plane may refuse. */
function unsendable(changes: readonly Change[], to: Objects, encoder: Encoder): string | null {
  const lookup: Lookup = (kind, key) => to.get(objectId(kind, key))
  let widest: ReturnType<typeof reach> = 'self'
  for (const { before, after } of changes) {
    if (reach(before, after) === 'others') widest = 'others'
    if (after === null) continue
    const because = encoder.refusal(after) ?? checkReferences(after, lookup)?.sentence
    if (because !== undefined) return because
  }
  return widest === 'self' ? null : (check(to)?.sentence ?? null)
}

type Weighed =
  | { readonly kind: 'sendable'; readonly bytes: number }
  | Extract<Accepted, { readonly kind: 'unsendable' }>

/** `bytes`: of the table before. Compile holds its tables to both totals (capacity.ts). */
function weigh(
  changes: readonly Change[],
  to: Objects,
  now: { readonly bytes: number; readonly encoder: Encoder },
): Weighed {
  const many = `the table has more than ${TABLE_OBJECTS_MAX} objects`
  if (to.size > TABLE_OBJECTS_MAX) return { kind: 'unsendable', because: many }
  const because = unsendable(changes, to, now.encoder)
  if (because !== null) return { kind: 'unsendable', because }
  const bytes = now.bytes + growth(changes, now.encoder)
  const long = `the table is longer than ${TABLE_BYTES_MAX} bytes`
  return bytes > TABLE_BYTES_MAX
    ? { kind: 'unsendable', because: long }
    : { kind: 'sendable', bytes }
}

/** Of all bytes of the table; objects that did not change are not looked at. */
function growth(changes: readonly Change[], encoder: Encoder): number {
  let bytes = 0
  for (const { before, after } of changes) {
    if (before !== undefined) bytes -= encoder.bytes(before)
    if (after !== null) bytes += encoder.bytes(after)
  }
  return bytes
}

/** The union of what the steps after `version` touched, as it stands in the newest table. */
function merged(steps: readonly Step[], version: number, objects: Objects): Changes {
  const first = new Map<string, Before | null>()
  for (let i = steps.length - 1; i >= 0; i -= 1) {
    const step = steps[i]
    if (step === undefined || step.version <= version) break
    for (const [id, before] of step.touched) first.set(id, before) // the oldest one remains
  }
  const puts: CompiledObject[] = []
  const drops: Before[] = []
  for (const [id, before] of first) {
    const after = objects.get(id)
    if (after === undefined) {
      if (before !== null) drops.push(before)
    } else if (before?.digest !== after.digest) puts.push(after)
  }
  return { puts, drops }
}

/** Kind by kind, so that whoever reads along meets most things before what refers to them. */
export function* inWireOrder(table: CompiledTable): Generator<CompiledObject> {
  const byKind = Map.groupBy(table.objects.values(), (object) => object.kind)
  for (const kind of OBJECT_KINDS) yield* byKind.get(kind) ?? []
}
