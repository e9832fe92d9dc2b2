/**
 * The memory in which all workers count: made by main, seen by every thread, changed by
 * compare-and-swap alone, so that a worker that stops in the middle holds up nobody.
 * Pinned by shared.test.ts: "what a dead worker held is free again".
 */
import type { HashWords } from './siphash.ts'

/** Goes to a worker as it is: its arrays are shared, not copied. */
export interface LimitMemory {
  /** Key of the hash that names buckets: four random words. */
  readonly secret: readonly number[]
  /** Moments count from here, in nanoseconds of hrtime. */
  readonly originNs: bigint
  /** Workers that may live at once; each writes one column of the gauges. */
  readonly columns: number
  readonly header: SharedArrayBuffer
  /** Two: one in use, the other being emptied. */
  readonly rates: readonly [RateMemory, RateMemory]
  /** A moment for each overflow bucket. */
  readonly rateOverflow: SharedArrayBuffer
  readonly gauges: GaugeMemory
}

export interface RateMemory {
  /** Four words for each slot. */
  readonly keys: SharedArrayBuffer
  /** The moment at which the bucket is full again, in nanoseconds of hrtime. */
  readonly moments: SharedArrayBuffer
  /** One: what was full at this moment was not carried over when the table came into use. */
  readonly since: SharedArrayBuffer
}

export interface GaugeMemory {
  /** Sets of WAYS slots: all first words, then all second ones … */
  readonly keys: SharedArrayBuffer
  /** For each slot, then for each overflow gauge: a count of each column. */
  readonly counts: SharedArrayBuffer
}

/**
 * Half of them may be in use, so that a look-up stays short. 65,000 keys that are being limited at
 * one time are 6 MB; a limit per client address sees fewer, because an idle bucket is none.
 */
export const RATE_SLOTS = 131_072
/** Keys with requests in flight: bounded by the connections that a data plane holds. */
export const GAUGE_SLOTS = 32_768
/** Slots that one key may stand in: one cache line of first words. */
export const WAYS = 16
/** Limits that share one by chance only refuse too much, and only while the table is full. */
export const OVERFLOWS = 1024

/** Words of `header`. */
export const HEADER = {
  /** Grows when the tables of rates change places. Its last bit says which is in use. */
  generation: 0,
  /** Slots claimed in the table in use. */
  claimed: 1,
  /** Takes that had to use an overflow bucket or gauge. */
  overflowed: 2,
} as const
const HEADER_WORDS = 16

export interface MemorySize {
  readonly columns: number
  /** In nanoseconds of hrtime; now, where it is left out. */
  readonly originNs?: bigint
  /** Powers of two. */
  readonly rateSlots?: number
  readonly gaugeSlots?: number
}

/** `secret`: four words that nobody outside this process knows. */
export function createLimitMemory(size: MemorySize, secret: readonly number[]): LimitMemory {
  const { columns, rateSlots = RATE_SLOTS, gaugeSlots = GAUGE_SLOTS } = size
  return {
    secret,
    originNs: size.originNs ?? process.hrtime.bigint(),
    columns,
    header: new SharedArrayBuffer(HEADER_WORDS * 4),
    rates: [rateMemory(rateSlots), rateMemory(rateSlots)],
    rateOverflow: new SharedArrayBuffer(OVERFLOWS * 8),
    gauges: {
      keys: new SharedArrayBuffer(gaugeSlots * 4 * 4),
      counts: new SharedArrayBuffer((gaugeSlots + OVERFLOWS) * columns * 4),
    },
  }
}

function rateMemory(slots: number): RateMemory {
  return {
    keys: new SharedArrayBuffer(slots * 4 * 4),
    moments: new SharedArrayBuffer(slots * 8),
    since: new SharedArrayBuffer(8),
  }
}

/** What a bucket or gauge is found by. */
export interface BucketKey {
  readonly words: HashWords
  /** Of the limit that it belongs to. */
  readonly overflow: number
}
