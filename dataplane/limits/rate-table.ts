/**
 * The rate buckets of this process: taking from one, giving back, and making room. Two tables take
 * turns. When one is half full of keys that came by, main makes the other one the table in use and
 * carries over the buckets that are not full; a bucket that is full says nothing, so forgetting it
 * loses nothing.
 *
 * Whoever takes looks at the generation before and after: if the tables changed places meanwhile,
 * it takes again in the new one. That may count a request twice, and never misses one.
 * Pinned by rate-table.test.ts: "threads that hammer one bucket never get more than the formula".
 */
import { backlogNs, type RateParts, taken } from './gcra.ts'
import { NO_SLOT, RateSlots } from './rate-slots.ts'
import { type BucketKey, HEADER, type LimitMemory } from './shared.ts'
import type { HashWords } from './siphash.ts'

export interface Charge {
  readonly kind: 'admitted' | 'refused'
  /** After the take, or as it stands where it was refused. */
  readonly backlogNs: bigint
  readonly takeNs: bigint
  readonly atNs: bigint
  readonly generation: number
  /** NO_SLOT: the overflow bucket. */
  readonly slot: number
  readonly overflow: number
}

export interface Take {
  readonly nowNs: bigint
  readonly takeNs: bigint
  readonly parts: RateParts
}

/** A slot that was claimed and never taken from. */
const UNSET = 0n
/** Any moment that has passed. */
const FULL = 1n

export class RateTable {
  readonly #header: Int32Array
  readonly #tables: readonly [RateSlots, RateSlots]
  readonly #overflow: BigInt64Array

  constructor(memory: LimitMemory) {
    this.#header = new Int32Array(memory.header)
    const [even, odd] = memory.rates
    this.#tables = [new RateSlots(even, this.#header), new RateSlots(odd, this.#header)]
    this.#overflow = new BigInt64Array(memory.rateOverflow)
  }

  take(key: BucketKey, take: Take): Charge {
    for (;;) {
      const generation = this.generation()
      const slot = this.#of(generation).claim(key.words, 'whileRoom')
      const charge =
        slot === NO_SLOT
          ? this.#takeOverflow(key, generation, take)
          : this.#takeSlot(key, generation, slot, take)
      if (charge !== null && this.generation() === generation) return charge
    }
  }

  /**
   * Without ever leaving the bucket fuller than it would be had the take not happened: what has come
   * back by itself since then is not given back again.
   */
  giveBack(charge: Charge, nowNs: bigint): void {
    const back = charge.takeNs - (nowNs - charge.atNs)
    if (back <= 0n || charge.generation !== this.generation()) return
    const moments = charge.slot === NO_SLOT ? this.#overflow : this.#of(charge.generation).moments
    const slot = charge.slot === NO_SLOT ? charge.overflow : charge.slot
    for (;;) {
      const moment = Atomics.load(moments, slot)
      if (moment - back <= UNSET) return
      if (Atomics.compareExchange(moments, slot, moment, moment - back) === moment) return
    }
  }

  generation(): number {
    return Atomics.load(this.#header, HEADER.generation)
  }

  claimed(): number {
    return Atomics.load(this.#header, HEADER.claimed)
  }

  /** Main alone calls it, and only after `empty` has run for the table that it brings into use. */
  turn(nowNs: bigint): void {
    Atomics.store(this.#header, HEADER.claimed, 0)
    const generation = Atomics.add(this.#header, HEADER.generation, 1) + 1
    const before = this.#of(generation - 1)
    const words = new Int32Array(4)
    for (let slot = 0; slot < before.size; slot++) {
      if (Atomics.load(before.moments, slot) <= nowNs || !before.readKey(slot, words)) continue
      this.#carryOver(words, generation)
    }
  }

  /** Main alone: forgets the table that is not in use. */
  empty(): void {
    const before = this.#of(this.generation() - 1)
    for (let slot = 0; slot < before.size; slot++) {
      if (!before.isClear(slot)) before.clear(slot)
    }
  }

  #of(generation: number): RateSlots {
    return (generation & 1) === 0 ? this.#tables[0] : this.#tables[1]
  }

  /** Null: the table is not in use any more. */
  #takeSlot(key: BucketKey, generation: number, slot: number, take: Take): Charge | null {
    const { moments } = this.#of(generation)
    for (;;) {
      const moment = Atomics.load(moments, slot)
      if (moment < UNSET) {
        if (this.generation() !== generation) return null
        // a thread that had slept since the turn before took this table for the old one
        Atomics.compareExchange(moments, slot, moment, -moment)
        continue
      }
      if (moment === UNSET) {
        this.#install(moments, slot, key, generation)
        continue
      }
      const charge = this.#charge(moments, slot, moment, take)
      if (charge !== null) return { ...charge, generation, slot, overflow: key.overflow }
    }
  }

  #takeOverflow(key: BucketKey, generation: number, take: Take): Charge {
    Atomics.add(this.#header, HEADER.overflowed, 1)
    for (;;) {
      const moment = Atomics.load(this.#overflow, key.overflow)
      const charge = this.#charge(this.#overflow, key.overflow, moment, take)
      if (charge !== null) return { ...charge, generation, slot: NO_SLOT, overflow: key.overflow }
    }
  }

  /** Null: another thread was faster. */
  #charge(
    moments: BigInt64Array,
    slot: number,
    moment: bigint,
    { nowNs, takeNs, parts }: Take,
  ): Pick<Charge, 'kind' | 'backlogNs' | 'takeNs' | 'atNs'> | null {
    const backlog = backlogNs(moment, nowNs, parts)
    const after = taken(backlog, takeNs, parts)
    if (after === null) return { kind: 'refused', backlogNs: backlog, takeNs, atNs: nowNs }
    // what costs nothing changes nothing: its own idea of now may be an old one
    if (takeNs > 0n) {
      const next = nowNs + after
      if (Atomics.compareExchange(moments, slot, moment, next) !== moment) return null
    }
    return { kind: 'admitted', backlogNs: after, takeNs, atNs: nowNs }
  }

  /**
   * The first moment of a slot: what the key had in the table before, and no better than the
   * overflow bucket that it may have used. All who do this at once find the same or one wins.
   */
  #install(moments: BigInt64Array, slot: number, key: BucketKey, generation: number): void {
    const before = this.#freeze(key.words, generation - 1)
    const overflow = Atomics.load(this.#overflow, key.overflow)
    Atomics.compareExchange(moments, slot, UNSET, max(before, overflow))
  }

  #carryOver(words: HashWords, generation: number): void {
    const table = this.#of(generation)
    const slot = table.claim(words, 'always')
    if (slot === NO_SLOT) return
    const before = this.#freeze(words, generation - 1)
    Atomics.compareExchange(table.moments, slot, UNSET, before)
  }

  /** Ends the key's slot in the table before, for those who still hold it: its moment turns negative. */
  #freeze(words: HashWords, generation: number): bigint {
    const { moments } = this.#of(generation)
    const slot = this.#of(generation).find(words)
    if (slot === NO_SLOT) return FULL
    for (;;) {
      const moment = Atomics.load(moments, slot)
      if (moment < UNSET) return -moment
      if (moment === UNSET) return FULL
      if (Atomics.compareExchange(moments, slot, moment, -moment) === moment) return moment
    }
  }
}

function max(one: bigint, other: bigint): bigint {
  return one > other ? one : other
}
