/**
 * A table while it grows: a map of pointers, an XOR of digests and two sums. No object is serialised
 * here, and none is looked at twice.
 * Pinned by capacity.test.ts: "no table and no object of it is larger than a data plane takes".
 */
import type { CompiledObject, CompiledTable } from './compiled.ts'
import { HashSum, type Sealed } from './seal.ts'

/** What a data plane takes. */
export interface Room {
  readonly objectBytes: number
  readonly tableBytes: number
  readonly tableObjects: number
}

export interface Size {
  readonly bytes: number
  readonly objects: number
}

/** Grows by objects, each once. */
export class Assembly implements Size {
  readonly #objects = new Map<string, CompiledObject>()
  readonly #hash = new HashSum()
  bytes = 0
  /** Of the longest object. */
  longest = 0

  get objects(): number {
    return this.#objects.size
  }

  has(id: string): boolean {
    return this.#objects.has(id)
  }

  add({ id, object, words, bytes }: Sealed): void {
    if (this.#objects.has(id)) return
    this.#objects.set(id, object)
    this.#hash.add(words)
    this.bytes += bytes
    if (bytes > this.longest) this.longest = bytes
  }

  addAll(list: Iterable<Sealed | null>): void {
    for (const sealed of list) if (sealed !== null) this.add(sealed)
  }

  /** Whether it fits, with so much more to come. */
  fitsIn(room: Room, more: Size): 'yes' | 'no' {
    const bytes = this.bytes + more.bytes
    const objects = this.objects + more.objects
    return bytes <= room.tableBytes && objects <= room.tableObjects ? 'yes' : 'no'
  }

  /** The whole of it, and each of its objects. */
  isWithin(room: Room): 'yes' | 'no' {
    return this.longest <= room.objectBytes ? this.fitsIn(room, NOTHING_MORE) : 'no'
  }

  finished(): CompiledTable {
    return { objects: this.#objects, hash: this.#hash.hex() }
  }
}

const NOTHING_MORE: Size = { bytes: 0, objects: 0 }
