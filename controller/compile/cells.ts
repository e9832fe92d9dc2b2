/**
 * What compile steps have read of a snapshot: one cell for each object, list or word. A new snapshot
 * is laid over them once, by pointer comparisons, and maps that kept their identity are skipped.
 * Pinned by memo.test.ts: "after any edits a memo says what a fresh one says".
 */
import { type Clock, Read } from './read.ts'
import type { Reader } from './reader.ts'
import {
  type Installation,
  type Kind,
  type Remembered,
  type Resource,
  resourceId,
  type Snapshot,
} from './snapshot.ts'

type Inner = ReadonlyMap<string, Resource>
const NONE: Inner = new Map()

class Cell<V> extends Read {
  #value: V
  readonly #forget: () => void
  constructor(clock: Clock, value: V, forget: () => void) {
    super(clock)
    this.#value = value
    this.#forget = forget
  }

  get value(): V {
    return this.#value
  }

  settle(): void {}

  release(): void {
    this.#forget()
  }

  move(value: V): void {
    if (this.#value === value) return
    this.#value = value
    this.changedAt = this.clock.revision
    this.disturb()
  }
}

/** Everything read from one namespace of one kind. */
interface Group {
  inner: Inner
  list: Cell<Inner> | null
  readonly objects: Map<string, Cell<Resource | null>>
}

export class Cells {
  #snapshot: Snapshot
  readonly #clock: Clock
  readonly #groups = new Map<Kind, Map<string, Group>>()
  readonly #kinds = new Map<Kind, Cell<ReadonlyMap<string, Inner>>>()
  readonly #remembered = new Map<string, Cell<Remembered | null>>()
  readonly #forbidden = new Map<string, Cell<string | null>>()
  readonly #installation: Cell<Installation>

  constructor(snapshot: Snapshot, clock: Clock) {
    this.#snapshot = snapshot
    this.#clock = clock
    this.#installation = new Cell(clock, snapshot.installation, () => {})
  }

  move(snapshot: Snapshot): void {
    const before = this.#snapshot
    this.#snapshot = snapshot
    this.#installation.move(snapshot.installation)
    for (const [kind, groups] of this.#groups) {
      if (before.kinds[kind] !== snapshot.kinds[kind]) this.#moveGroups(kind, groups)
    }
    for (const [kind, cell] of this.#kinds) cell.move(snapshot.kinds[kind])
    if (before.remembered !== snapshot.remembered) {
      for (const [id, cell] of this.#remembered) cell.move(snapshot.remembered.get(id) ?? null)
    }
    for (const [namespace, cell] of this.#forbidden) {
      cell.move(snapshot.secretsForbidden.get(namespace) ?? null)
    }
  }

  #moveGroups(kind: Kind, groups: Map<string, Group>): void {
    for (const [namespace, group] of groups) {
      const inner = this.#inner(kind, namespace)
      if (inner === group.inner) continue
      group.inner = inner
      group.list?.move(inner)
      for (const [name, cell] of group.objects) cell.move(inner.get(name) ?? null)
    }
  }

  #inner(kind: Kind, namespace: string): Inner {
    return this.#snapshot.kinds[kind].get(namespace) ?? NONE
  }

  #group(kind: Kind, namespace: string): Group {
    const groups = kept(this.#groups, kind, () => new Map<string, Group>())
    return kept(groups, namespace, () => {
      return { inner: this.#inner(kind, namespace), list: null, objects: new Map() }
    })
  }

  object(kind: Kind, namespace: string, name: string): Cell<Resource | null> {
    const { inner, objects } = this.#group(kind, namespace)
    return this.#cell(objects, name, () => inner.get(name) ?? null)
  }

  list(kind: Kind, namespace: string): Cell<Inner> {
    const group = this.#group(kind, namespace)
    group.list ??= new Cell(this.#clock, group.inner, () => {
      group.list = null
    })
    return group.list
  }

  all(kind: Kind): Cell<ReadonlyMap<string, Inner>> {
    return this.#cell(this.#kinds, kind, () => this.#snapshot.kinds[kind])
  }

  remembered(id: string): Cell<Remembered | null> {
    return this.#cell(this.#remembered, id, () => this.#snapshot.remembered.get(id) ?? null)
  }

  forbidden(namespace: string): Cell<string | null> {
    return this.#cell(
      this.#forbidden,
      namespace,
      () => this.#snapshot.secretsForbidden.get(namespace) ?? null,
    )
  }

  get installation(): Cell<Installation> {
    return this.#installation
  }

  #cell<K, V>(cells: Map<K, Cell<V>>, key: K, value: () => V): Cell<V> {
    return kept(cells, key, () => new Cell(this.#clock, value(), () => cells.delete(key)))
  }
}

function kept<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const present = map.get(key)
  if (present !== undefined) return present
  const made = make()
  map.set(key, made)
  return made
}

/** A reader of the cells that tells of each one that was looked at. */
export class CellReader implements Reader {
  readonly #cells: Cells
  readonly #note: (read: Read) => void
  constructor(cells: Cells, note: (read: Read) => void) {
    this.#cells = cells
    this.#note = note
  }

  #see<V>(cell: Cell<V>): V {
    this.#note(cell)
    return cell.value
  }

  get(kind: Kind, namespace: string, name: string): Resource | null {
    return this.#see(this.#cells.object(kind, namespace, name))
  }

  list(kind: Kind, namespace: string): Inner {
    return this.#see(this.#cells.list(kind, namespace))
  }

  all(kind: Kind): ReadonlyMap<string, Inner> {
    return this.#see(this.#cells.all(kind))
  }

  remembered(kind: Kind, namespace: string, name: string): Remembered | null {
    return this.#see(this.#cells.remembered(resourceId(kind, namespace, name)))
  }

  secretsForbidden(namespace: string): string | null {
    return this.#see(this.#cells.forbidden(namespace))
  }

  get installation(): Installation {
    return this.#see(this.#cells.installation)
  }
}
