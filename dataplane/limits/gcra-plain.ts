/**
 * The plain twin of gcra.ts: a bucket of tokens that refills, in exact fractions. For tests only; it
 * shows what the one number of GCRA stands for.
 * Proved by gcra.test.ts.
 */
import type { Rate } from '#wire/rate-limit'

export class PlainBucket {
  readonly #rate: Rate
  /** In fractions of 1 / (period in ns): then refilling adds whole numbers. */
  #tokens: bigint
  #atNs = 0n

  constructor(rate: Rate) {
    this.#rate = rate
    this.#tokens = this.#full()
  }

  take(nowNs: bigint, cost: number): 'admitted' | 'refused' {
    const refill = (nowNs - this.#atNs) * BigInt(this.#rate.count)
    this.#tokens = min(this.#full(), this.#tokens + refill)
    this.#atNs = nowNs
    const wanted = BigInt(cost) * this.#periodNs()
    if (wanted > this.#tokens) return 'refused'
    this.#tokens -= wanted
    return 'admitted'
  }

  remaining(): number {
    return Number(this.#tokens / this.#periodNs())
  }

  #full(): bigint {
    return BigInt(this.#rate.burst) * this.#periodNs()
  }

  #periodNs(): bigint {
    return BigInt(this.#rate.periodMs) * 1_000_000n
  }
}

function min(one: bigint, other: bigint): bigint {
  return one < other ? one : other
}
