/**
 * The rate buckets of this process: taking from one, giving back, and making room. Two tables take
 * turns. When one is half full of keys that came by, main makes the other one the table in use and
 * carries over the buckets that are not full; a bucket that is full says nothing, so forgetting it
 * loses nothing.
 *
 * Full is a word about a moment. A thread that read the clock, was suspended, and comes to a table
 * that came into use later would find buckets full that were not at its moment: so it takes at the
 * moment of the change, which has passed too. Each take thus counts at a moment between its being
 * asked for and its return, and over these moments no window admits more than rate + burst.
 *
 * Whoever takes looks at the generation before and after: if the tables changed places meanwhile,
 * it takes again in the new one. That may count a request twice, and never misses one. A moment
 * bears the generation that wrote it, so that what a thread writes which slept through a change is
 * known for what it is, unless it slept through 64 changes: the keeper makes one in two seconds.
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
  /** The moment that was asked for, or that of the last change of tables if it is later. */
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

/** No moment: nobody of this generation has taken from the slot. */
const UNSET = 0n
/** Any moment that has passed. */
const FULL = 1n
/** Low bits of a word, for the generation. The rest counts nanoseconds for four and a half years. */
const MARK_BITS = 6n
const MARK_MASK = 63

export class RateTable {
  readonly #header: Int32Array
  readonly #tables: readonly [RateSlots, RateSlots]
  readonly #overflow: BigInt64Array
  readonly #originNs: bigint

  constructor(memory: LimitMemory) {
    this.#originNs = memory.originNs
    this.#header = new Int32Array(memory.header)
    const [even, odd] = memory.rates
    this.#tables = [new RateSlots(even, this.#header), new RateSlots(odd, this.#header)]
    this.#overflow = new BigInt64Array(memory.rateOverflow)
  }

  take(key: BucketKey, { nowNs, takeNs, parts }: Take): Charge {
    const asked = nowNs - this.#originNs
    for (;;) {
      const generation = this.generation()
      const since = Atomics.load(this.#of(generation).since, 0)
      const take = { nowNs: max(asked, since), takeNs, parts }
      const slot = this.#claim(key, generation)
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
    const back = charge.takeNs - (nowNs - this.#originNs - charge.atNs)
    if (back <= 0n || charge.kind === 'refused') return
    if (charge.slot === NO_SLOT) lower(this.#overflow, charge.overflow, back, null)
    else lower(this.#of(charge.generation).moments, charge.slot, back, charge.generation)
  }

  generation(): number {
    return Atomics.load(this.#header, HEADER.generation)
  }

  claimed(): number {
    return Atomics.load(this.#header, HEADER.claimed)
  }

  /** Main alone calls it, and only after `empty` has run for the table that it brings into use. */
  turn(nowNs: bigint): void {
    const since = nowNs - this.#originNs
    Atomics.store(this.#of(this.generation() + 1).since, 0, since)
    Atomics.store(this.#header, HEADER.claimed, 0)
    const generation = Atomics.add(this.#header, HEADER.generation, 1) + 1
    const before = this.#of(generation - 1)
    const words = new Int32Array(4)
    for (let slot = 0; slot < before.size; slot++) {
      const moment = momentOf(Atomics.load(before.moments, slot), generation - 1)
      if (moment <= since || !before.readKey(slot, words)) continue
      const to = this.#of(generation).claim(words, 'always')
      if (to !== NO_SLOT) this.#install(to, words, generation, UNSET)
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

  /** A key that had a slot before has one again, whether main has come to it yet or not. */
  #claim({ words }: BucketKey, generation: number): number {
    const table = this.#of(generation)
    const slot = table.claim(words, 'whileRoom')
    const isNew = slot === NO_SLOT && this.#of(generation - 1).find(words) === NO_SLOT
    return slot !== NO_SLOT || isNew ? slot : table.claim(words, 'always')
  }

  /** Null: the table is not in use any more. */
  #takeSlot(key: BucketKey, generation: number, slot: number, take: Take): Charge | null {
    const { moments } = this.#of(generation)
    for (;;) {
      const word = Atomics.load(moments, slot)
      const moment = momentOf(word, generation)
      if (moment === UNSET) {
        // the word may be a younger one than we are: then it is not ours to replace
        if (this.generation() !== generation) return null
        this.#install(slot, key.words, generation, Atomics.load(this.#overflow, key.overflow))
        continue
      }
      const charge = charged(moment, take)
      if (charge.kind === 'admitted' && take.takeNs > 0n) {
        const next = wordOf(take.nowNs + charge.backlogNs, generation)
        if (Atomics.compareExchange(moments, slot, word, next) !== word) continue
      }
      return { ...charge, generation, slot, overflow: key.overflow }
    }
  }

  /** Null: the key has got a slot meanwhile, whose first moment may not know of this take. */
  #takeOverflow({ words, overflow }: BucketKey, generation: number, take: Take): Charge | null {
    Atomics.add(this.#header, HEADER.overflowed, 1)
    for (;;) {
      const moment = Atomics.load(this.#overflow, overflow)
      const charge = charged(moment, take)
      if (charge.kind === 'admitted' && take.takeNs > 0n) {
        const next = take.nowNs + charge.backlogNs
        if (Atomics.compareExchange(this.#overflow, overflow, moment, next) !== moment) continue
      }
      if (this.#of(generation).find(words) !== NO_SLOT) return null
      return { ...charge, generation, slot: NO_SLOT, overflow }
    }
  }

  /**
   * The first moment of a slot in this generation: what the key had in the table before, and no
   * better than the overflow bucket that it may have used. Nobody takes from the table before any
   * more, but in vain: so all who do this find the same.
   */
  #install(slot: number, words: HashWords, generation: number, overflow: bigint): void {
    const { moments } = this.#of(generation)
    for (;;) {
      const word = Atomics.load(moments, slot)
      if (momentOf(word, generation) !== UNSET || this.generation() !== generation) return
      const moment = max(this.#before(words, generation), overflow)
      // what fails may have met the word of a thread that slept, and nobody's bucket is lost by it
      Atomics.compareExchange(moments, slot, word, wordOf(moment, generation))
    }
  }

  /** FULL too where the key had no bucket in the table before. */
  #before(words: HashWords, generation: number): bigint {
    const table = this.#of(generation - 1)
    const slot = table.find(words)
    if (slot === NO_SLOT) return FULL
    return max(FULL, momentOf(Atomics.load(table.moments, slot), generation - 1))
  }
}

/** UNSET where another generation has written it. */
function momentOf(word: bigint, generation: number): bigint {
  return (Number(word & BigInt(MARK_MASK)) ^ generation) & MARK_MASK ? UNSET : word >> MARK_BITS
}

function wordOf(moment: bigint, generation: number): bigint {
  return (moment << MARK_BITS) | BigInt(generation & MARK_MASK)
}

function charged(
  moment: bigint,
  { nowNs, takeNs, parts }: Take,
): Pick<Charge, 'kind' | 'backlogNs' | 'takeNs' | 'atNs'> {
  const backlog = backlogNs(moment, nowNs, parts)
  const after = taken(backlog, takeNs, parts)
  return after === null
    ? { kind: 'refused', backlogNs: backlog, takeNs, atNs: nowNs }
    : { kind: 'admitted', backlogNs: after, takeNs, atNs: nowNs }
}

/** `generation`: of a word that bears one. */
function lower(words: BigInt64Array, slot: number, back: bigint, generation: number | null): void {
  for (;;) {
    const word = Atomics.load(words, slot)
    const moment = generation === null ? word : momentOf(word, generation)
    const next = max(FULL, moment - back)
    if (moment === UNSET) return
    const lowered = generation === null ? next : wordOf(next, generation)
    if (Atomics.compareExchange(words, slot, word, lowered) === word) return
  }
}

function max(one: bigint, other: bigint): bigint {
  return one > other ? one : other
}
