/**
 * Which objects each rule has read while it was built, and so which rules a changed object means.
 * Proved by build.test.ts.
 */
import { type ObjectKind, objectId, type ValueOf } from '#wire/table'
import type { TableObjects } from './objects.ts'
import type { TableReader } from './prepare.ts'

/** An object that cannot be executed here, as its builder says it. */
export interface Refusal {
  readonly kind: ObjectKind
  readonly key: string
  readonly reason: string
}

export class RecordingReader implements TableReader {
  readonly #objects: TableObjects
  readonly ids = new Set<string>()
  readonly refusals: Refusal[] = []

  constructor(objects: TableObjects) {
    this.#objects = objects
  }

  get<K extends ObjectKind>(kind: K, key: string): ValueOf[K] | null {
    this.ids.add(objectId(kind, key))
    return this.#objects.get(kind, key)
  }

  reject(kind: ObjectKind, key: string, reason: string): void {
    this.refusals.push({ kind, key, reason })
  }
}

/** Who depends on what, both ways. */
export class Readings {
  readonly #read = new Map<string, ReadonlySet<string>>()
  readonly #readers = new Map<string, Set<string>>()

  /** `ids` take the place of what the reader had read before; an empty set forgets it. */
  set(reader: string, ids: ReadonlySet<string>): void {
    for (const id of this.#read.get(reader) ?? []) {
      const readers = this.#readers.get(id)
      readers?.delete(reader)
      if (readers?.size === 0) this.#readers.delete(id)
    }
    if (ids.size === 0) this.#read.delete(reader)
    else this.#read.set(reader, ids)
    for (const id of ids) {
      const readers = this.#readers.get(id)
      if (readers === undefined) this.#readers.set(id, new Set([reader]))
      else readers.add(reader)
    }
  }

  readersOf(id: string): Iterable<string> {
    return this.#readers.get(id) ?? []
  }
}
