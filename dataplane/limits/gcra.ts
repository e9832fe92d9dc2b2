/**
 * The arithmetic of a rate limit (GCRA): one number says it all, the moment at which the bucket will
 * be full again. Whole nanoseconds in BigInt, so that no sum is ever rounded; what has to be rounded
 * is rounded against the caller. Any window admits at most rate + burst.
 * Pinned by gcra.test.ts: "no window ever admits more than rate and burst".
 */
import type { Rate } from '#wire/rate-limit'

export interface RateParts {
  /** What a request of cost 1 takes: the time in which it comes back. */
  readonly intervalNs: bigint
  /** How far ahead of now the bucket may be: burst × interval. */
  readonly toleranceNs: bigint
}

/** More than any burst: such a request can never be admitted. */
const COST_MAX = 2_000_000_000
/** Costs with a fraction are counted in millionths, rounded up. */
const MILLION = 1_000_000

/**
 * One data plane's part of a rate. The rate itself divides exactly; the burst is rounded down, but
 * not below 1, so that a burst smaller than the number of data planes admits one on each of them.
 */
export function rateParts(rate: Rate, dataPlanes: number): RateParts {
  const periodNs = BigInt(rate.periodMs) * 1_000_000n * BigInt(dataPlanes)
  const count = BigInt(rate.count)
  const intervalNs = (periodNs + count - 1n) / count
  const burst = BigInt(localPart(rate.burst, dataPlanes))
  return { intervalNs, toleranceNs: intervalNs * burst }
}

/** Of a whole number that is shared by so many data planes. */
export function localPart(whole: number, dataPlanes: number): number {
  return Math.max(1, Math.floor(whole / dataPlanes))
}

/** `cost` ≥ 0. */
export function costNs(cost: number, { intervalNs }: RateParts): bigint {
  const bounded = Math.min(cost, COST_MAX)
  if (Number.isInteger(bounded)) return BigInt(bounded) * intervalNs
  const millionths = BigInt(Math.ceil(bounded * MILLION))
  return (millionths * intervalNs + BigInt(MILLION) - 1n) / BigInt(MILLION)
}

/**
 * How far the bucket is ahead of now. What is beyond the tolerance stems from a rate that has been
 * changed since, and is not held against anybody: then the bucket is just empty.
 */
export function backlogNs(fullAtNs: bigint, nowNs: bigint, { toleranceNs }: RateParts): bigint {
  const ahead = fullAtNs - nowNs
  if (ahead <= 0n) return 0n
  return ahead < toleranceNs ? ahead : toleranceNs
}

/** The backlog after taking, or null where there is no room. */
export function taken(backlog: bigint, takeNs: bigint, { toleranceNs }: RateParts): bigint | null {
  const after = backlog + takeNs
  return after <= toleranceNs ? after : null
}

/** Requests of cost 1 that could come at once. */
export function remaining(backlog: bigint, { intervalNs, toleranceNs }: RateParts): number {
  return Number((toleranceNs - backlog) / intervalNs)
}

/** Until there is room. Null: there never is. */
export function waitNs(backlog: bigint, takeNs: bigint, { toleranceNs }: RateParts): bigint | null {
  if (takeNs > toleranceNs) return null
  const wait = backlog + takeNs - toleranceNs
  return wait > 0n ? wait : 0n
}
