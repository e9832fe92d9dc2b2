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

/** Who depends on what, both ways. Most things have one reader: those need no set of their own. */
export class Readings {
  readonly #read = new Map<string, readonly string[]>()
  readonly #readers = new Map<string, string | Set<string>>()

  /** `ids`, each once, take the place of what the reader had read before; none forgets it. */
  set(reader: string, ids: readonly string[]): void {
    for (const id of this.#read.get(reader) ?? []) this.#leave(id, reader)
    if (ids.length === 0) this.#read.delete(reader)
    else this.#read.set(reader, ids)
    for (const id of ids) this.#join(id, reader)
  }

  readersOf(id: string): Iterable<string> {
    const readers = this.#readers.get(id)
    return typeof readers === 'string' ? [readers] : (readers ?? [])
  }

  #join(id: string, reader: string): void {
    const readers = this.#readers.get(id)
    if (readers === undefined) this.#readers.set(id, reader)
    else if (typeof readers === 'string') this.#readers.set(id, new Set([readers, reader]))
    else readers.add(reader)
  }

  #leave(id: string, reader: string): void {
    const readers = this.#readers.get(id)
    if (readers instanceof Set) readers.delete(reader)
    if (readers === reader || (readers instanceof Set && readers.size === 0)) {
      this.#readers.delete(id)
    }
  }
}
