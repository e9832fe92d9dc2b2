/**
 * How many requests of each key are in flight, over all workers: each worker counts in a column of
 * its own, the sum is what is held against the limit. A worker counts itself first and looks then,
 * so two that come at once may both be refused, and never both be admitted over the limit.
 *
 * A key may stand in several slots of its set: all of them are summed, so it does not matter when
 * threads claim two at once. A slot is taken over from another key only when all its columns are
 * zero; it is marked first, and whoever counted meanwhile sees the mark and counts elsewhere.
 * Pinned by gauge-table.test.ts: "threads never hold more than the limit together".
 */
import { type BucketKey, HEADER, type LimitMemory, OVERFLOWS, WAYS } from './shared.ts'
import type { HashWords } from './siphash.ts'

export const REFUSED = -1

/** First words that no key has. */
const FREE = 0
const MARKED = 1
/** Each failed attempt means that a slot was just taken over by another key. */
const ATTEMPTS_MAX = 8
const WORDS = 4

export class GaugeTable {
  readonly #keys: Int32Array
  readonly #counts: Int32Array
  readonly #header: Int32Array
  readonly #columns: number
  readonly #column: number
  readonly #slots: number

  /** `column`: of this worker, below the memory's columns. */
  constructor(memory: LimitMemory, column: number) {
    this.#keys = new Int32Array(memory.gauges.keys)
    this.#counts = new Int32Array(memory.gauges.counts)
    this.#header = new Int32Array(memory.header)
    this.#columns = memory.columns
    this.#column = column
    this.#slots = this.#keys.length / WORDS
  }

  /** What is held, to be released exactly once; or REFUSED. */
  take(key: BucketKey, max: number): number {
    const set = this.#setOf(key.words)
    const held = this.#count(set, key)
    if (this.#sum(set, key) <= max) return held
    this.release(held)
    return REFUSED
  }

  release(held: number): void {
    Atomics.sub(this.#counts, held * this.#columns + this.#column, 1)
  }

  /** Main: a worker is gone, and what it held with it. */
  clearColumn(column: number): void {
    for (let slot = 0; slot < this.#slots + OVERFLOWS; slot++) {
      Atomics.store(this.#counts, slot * this.#columns + column, 0)
    }
  }

  /** Counts one in a slot of the key and returns it. */
  #count(set: number, key: BucketKey): number {
    for (let attempts = 0; attempts < ATTEMPTS_MAX; attempts++) {
      const slot = this.#find(set, key.words) ?? this.#claim(set, key.words)
      if (slot === null) break
      Atomics.add(this.#counts, slot * this.#columns + this.#column, 1)
      if (this.#holds(slot, key.words)) return slot
      this.release(slot)
    }
    Atomics.add(this.#header, HEADER.overflowed, 1)
    const overflow = this.#slots + key.overflow
    Atomics.add(this.#counts, overflow * this.#columns + this.#column, 1)
    return overflow
  }

  /** Of all slots of the key, marked ones too, and of the overflow gauge that it may have used. */
  #sum(set: number, key: BucketKey): number {
    let sum = this.#sumOf(this.#slots + key.overflow)
    for (let slot = set; slot < set + WAYS; slot++) {
      const first = this.#word(slot, 0)
      if (first !== MARKED && first !== key.words[0]) continue
      if (this.#tailHolds(slot, key.words)) sum += this.#sumOf(slot)
    }
    return sum
  }

  #find(set: number, key: HashWords): number | null {
    for (let slot = set; slot < set + WAYS; slot++) {
      if (this.#holds(slot, key)) return slot
    }
    return null
  }

  #claim(set: number, key: HashWords): number | null {
    for (let slot = set; slot < set + WAYS; slot++) {
      if (this.#word(slot, 0) === FREE && this.#mark(slot, FREE)) return this.#own(slot, key)
    }
    for (let slot = set; slot < set + WAYS; slot++) {
      const first = this.#word(slot, 0)
      if (first === MARKED || this.#sumOf(slot) !== 0 || !this.#mark(slot, first)) continue
      if (this.#sumOf(slot) === 0) return this.#own(slot, key)
      Atomics.store(this.#keys, this.#at(slot, 0), first)
    }
    return null
  }

  /** True for the one thread that may now change the slot's key. */
  #mark(slot: number, first: number): boolean {
    return Atomics.compareExchange(this.#keys, this.#at(slot, 0), first, MARKED) === first
  }

  #own(slot: number, key: HashWords): number {
    for (let i = WORDS - 1; i >= 0; i--) Atomics.store(this.#keys, this.#at(slot, i), key[i] ?? 0)
    return slot
  }

  #holds(slot: number, key: HashWords): boolean {
    return this.#word(slot, 0) === key[0] && this.#tailHolds(slot, key)
  }

  #tailHolds(slot: number, key: HashWords): boolean {
    return (
      this.#word(slot, 1) === key[1] &&
      this.#word(slot, 2) === key[2] &&
      this.#word(slot, 3) === key[3]
    )
  }

  #sumOf(slot: number): number {
    let sum = 0
    for (let column = 0; column < this.#columns; column++) {
      sum += Atomics.load(this.#counts, slot * this.#columns + column)
    }
    return sum
  }

  #setOf(key: HashWords): number {
    const sets = this.#slots / WAYS
    return ((key[3] ?? 0) & (sets - 1)) * WAYS
  }

  #word(slot: number, i: number): number {
    return Atomics.load(this.#keys, this.#at(slot, i))
  }

  /** First words of a set stand together, in one line of the cache. */
  #at(slot: number, i: number): number {
    const way = slot & (WAYS - 1)
    return (slot - way) * WORDS + i * WAYS + way
  }
}
