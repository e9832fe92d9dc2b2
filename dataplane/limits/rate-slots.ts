/**
 * One table of rate buckets: open addressing in which slots are claimed and never given back, so
 * that a key has exactly one slot however many threads look for it at once. What makes room again
 * is that the whole table is replaced (rate-table.ts).
 * Pinned by rate-slots.test.ts: "threads that race for one key find one slot".
 */
import { HEADER, type RateMemory } from './shared.ts'
import type { HashWords } from './siphash.ts'

export const NO_SLOT = -1
/** At half load a chain of 64 is rarer than one in 200,000; longer ones count as full. */
const PROBES_MAX = 64

type Owner = 'mine' | 'another' | 'nobody'

export class RateSlots {
  readonly size: number
  readonly moments: BigInt64Array
  readonly since: BigInt64Array
  readonly #keys: Int32Array
  readonly #header: Int32Array
  readonly #claimsMax: number

  constructor(memory: RateMemory, header: Int32Array) {
    this.moments = new BigInt64Array(memory.moments)
    this.since = new BigInt64Array(memory.since)
    this.#keys = new Int32Array(memory.keys)
    this.#header = header
    this.size = this.moments.length
    this.#claimsMax = this.size / 2
  }

  /**
   * NO_SLOT: the table is full. No word of the key is zero. `always`: also beyond half load, for
   * buckets that were there before.
   */
  claim(key: HashWords, room: 'whileRoom' | 'always'): number {
    let slot = (key[0] ?? 0) & (this.size - 1)
    for (let probes = 0; probes < PROBES_MAX; probes++) {
      const owner = this.#owner(slot, key, room)
      if (owner === 'mine') return slot
      if (owner === 'nobody') return NO_SLOT
      slot = (slot + 1) & (this.size - 1)
    }
    return NO_SLOT
  }

  /** Without claiming. */
  find(key: HashWords): number {
    let slot = (key[0] ?? 0) & (this.size - 1)
    for (let probes = 0; probes < PROBES_MAX; probes++) {
      if (Atomics.load(this.#keys, slot * 4) === 0) return NO_SLOT
      if (this.#holds(slot, key)) return slot
      slot = (slot + 1) & (this.size - 1)
    }
    return NO_SLOT
  }

  /** False where nobody has claimed the slot whole. */
  readKey(slot: number, into: HashWords): boolean {
    for (let i = 0; i < 4; i++) into[i] = Atomics.load(this.#keys, slot * 4 + i)
    return into[3] !== 0
  }

  isClear(slot: number): boolean {
    return Atomics.load(this.#keys, slot * 4) === 0 && Atomics.load(this.moments, slot) === 0n
  }

  clear(slot: number): void {
    Atomics.store(this.moments, slot, 0n)
    for (let i = 0; i < 4; i++) Atomics.store(this.#keys, slot * 4 + i, 0)
  }

  /**
   * Sets the words one after the other, each only where it is still zero and those before it are
   * ours: whoever comes upon a half-written key of its own finishes it. A key that differs can win
   * a later word; then the slot is its, and we go on.
   */
  #owner(slot: number, key: HashWords, room: 'whileRoom' | 'always'): Owner {
    if (Atomics.load(this.#keys, slot * 4) === 0 && room === 'whileRoom' && this.#isFull()) {
      return 'nobody'
    }
    for (let i = 0; i < 4; i++) {
      const word = key[i] ?? 0
      const seen = Atomics.compareExchange(this.#keys, slot * 4 + i, 0, word)
      if (seen !== 0 && seen !== word) return 'another'
      if (seen === 0 && i === 0) Atomics.add(this.#header, HEADER.claimed, 1)
    }
    return 'mine'
  }

  #isFull(): boolean {
    return Atomics.load(this.#header, HEADER.claimed) >= this.#claimsMax
  }

  #holds(slot: number, key: HashWords): boolean {
    for (let i = 0; i < 4; i++) {
      if (Atomics.load(this.#keys, slot * 4 + i) !== key[i]) return false
    }
    return true
  }
}
