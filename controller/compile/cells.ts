/**
 * What compile steps have read of a snapshot: one cell for each object, list or word. A new snapshot
 * is laid over them once, by pointer comparisons, and maps that kept their identity are skipped.
 * Pinned by memo.test.ts: "after any edits a memo says what a fresh one says".
 */
import type { Reader } from './reader.ts'
import { type Kind, type Remembered, type Resource, resourceId, type Snapshot } from './snapshot.ts'

/** Something whose change makes a step run again. */
export interface Read {
  /** The revision in which it last became another one; 0: it is as it was when first read. */
  readonly changedAt: number
  /** Brings it up to the present revision. Cells always are. */
  settle(): void
  /** Marks that a living result depends on it. */
  use(revision: number): void
}

type Inner = ReadonlyMap<string, Resource>
const NONE: Inner = new Map()

class Cell<V> implements Read {
  value: V
  changedAt = 0
  usedAt = 0
  constructor(value: V) {
    this.value = value
  }

  settle(): void {}

  use(revision: number): void {
    this.usedAt = revision
  }

  move(value: V, revision: number): void {
    if (this.value === value) return
    this.value = value
    this.changedAt = revision
  }
}

/** Everything read from one namespace of one kind. */
interface Group {
  inner: Inner
  readonly list: Cell<Inner>
  readonly objects: Map<string, Cell<Resource | null>>
}

export class Cells {
  #snapshot: Snapshot
  #revision = 0
  readonly #groups = new Map<Kind, Map<string, Group>>()
  readonly #kinds = new Map<Kind, Cell<ReadonlyMap<string, Inner>>>()
  readonly #remembered = new Map<string, Cell<Remembered | null>>()
  readonly #forbidden = new Map<string, Cell<string | null>>()
  readonly #installation: Cell<Snapshot['installation']>

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot
    this.#installation = new Cell(snapshot.installation)
  }

  move(snapshot: Snapshot, revision: number): void {
    const before = this.#snapshot
    this.#snapshot = snapshot
    this.#revision = revision
    this.#installation.move(snapshot.installation, revision)
    for (const [kind, groups] of this.#groups) {
      if (before.kinds[kind] !== snapshot.kinds[kind]) this.#moveGroups(kind, groups)
    }
    for (const [kind, cell] of this.#kinds) cell.move(snapshot.kinds[kind], revision)
    if (before.remembered !== snapshot.remembered) {
      for (const [id, cell] of this.#remembered) {
        cell.move(snapshot.remembered.get(id) ?? null, revision)
      }
    }
    for (const [namespace, cell] of this.#forbidden) {
      cell.move(snapshot.secretsForbidden.get(namespace) ?? null, revision)
    }
  }

  #moveGroups(kind: Kind, groups: Map<string, Group>): void {
    for (const [namespace, group] of groups) {
      const inner = this.#inner(kind, namespace)
      if (inner === group.inner) continue
      group.inner = inner
      group.list.move(inner, this.#revision)
      for (const [name, cell] of group.objects) cell.move(inner.get(name) ?? null, this.#revision)
    }
  }

  #inner(kind: Kind, namespace: string): Inner {
    return this.#snapshot.kinds[kind].get(namespace) ?? NONE
  }

  #group(kind: Kind, namespace: string): Group {
    const groups = kept(this.#groups, kind, () => new Map<string, Group>())
    return kept(groups, namespace, () => {
      const inner = this.#inner(kind, namespace)
      return { inner, list: new Cell(inner), objects: new Map() }
    })
  }

  /** The values as they are now; `note` hears of every cell that was looked at. */
  reader(note: (read: Read) => void): Reader {
    const snapshot = this.#snapshot
    function see<V>(cell: Cell<V>): V {
      note(cell)
      return cell.value
    }
    const installation = this.#installation
    return {
      get: (kind, namespace, name) => see(this.#object(kind, namespace, name)),
      list: (kind, namespace) => see(this.#group(kind, namespace).list),
      all: (kind) => see(kept(this.#kinds, kind, () => new Cell(snapshot.kinds[kind]))),
      remembered: (kind, namespace, name) =>
        see(this.#memory(resourceId(kind, namespace, name), snapshot)),
      secretsForbidden: (namespace) => {
        const value = () => new Cell(snapshot.secretsForbidden.get(namespace) ?? null)
        return see(kept(this.#forbidden, namespace, value))
      },
      get installation() {
        return see(installation)
      },
    }
  }

  #object(kind: Kind, namespace: string, name: string): Cell<Resource | null> {
    const group = this.#group(kind, namespace)
    return kept(group.objects, name, () => new Cell(group.inner.get(name) ?? null))
  }

  #memory(id: string, snapshot: Snapshot): Cell<Remembered | null> {
    return kept(this.#remembered, id, () => new Cell(snapshot.remembered.get(id) ?? null))
  }

  /** Forgets what no living result has read. */
  sweep(revision: number): void {
    for (const groups of this.#groups.values()) {
      for (const [namespace, group] of groups) {
        drop(group.objects, revision)
        if (group.objects.size === 0 && group.list.usedAt !== revision) groups.delete(namespace)
      }
    }
    drop(this.#remembered, revision)
    drop(this.#forbidden, revision)
  }
}

function kept<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const present = map.get(key)
  if (present !== undefined) return present
  const made = make()
  map.set(key, made)
  return made
}

function drop(cells: Map<string, Cell<unknown>>, revision: number): void {
  for (const [key, cell] of cells) if (cell.usedAt !== revision) cells.delete(key)
}
