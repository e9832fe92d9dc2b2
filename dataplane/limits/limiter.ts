/**
 * Takes all limits of one stage for one exchange, all or none, at once. Behind it stands shared
 * memory now and Redis later; `admit` cannot tell.
 */
import type { Limit } from '#wire/rate-limit'
import type { Exchange } from '../request/exchange.ts'
import type { Prepared } from '../runtime/expression-types.ts'
import type { LocalRate } from './local-rate.ts'
import type { Standing } from './taken.ts'

export interface PreparedLimit {
  readonly limit: Limit
  /** `namespace/policy/entry`, with the route or rule where `per` says so: the bucket's name. */
  readonly bucket: string
  readonly key: Prepared | null
  readonly when: Prepared | null
  readonly measure: PreparedRate | PreparedConcurrency
}

export interface PreparedRate {
  readonly kind: 'rate'
  /** Null where every request costs 1. */
  readonly cost: Prepared | null
  readonly rate: LocalRate
  /** The first whose `when` is true replaces `rate`. */
  readonly rates: readonly { readonly when: Prepared; readonly rate: LocalRate }[]
}

export interface PreparedConcurrency {
  readonly kind: 'concurrency'
  readonly max: number
}

export type TakeResult =
  | {
      readonly kind: 'admitted'
      readonly standings: readonly Standing[]
      readonly held: readonly number[]
      /** Names of limits in observe mode that would have refused. */
      readonly observed: readonly string[]
    }
  | {
      readonly kind: 'refused'
      readonly by: PreparedLimit
      readonly standings: readonly Standing[]
      readonly retryAfterS: number
    }
  | { readonly kind: 'keyMissing'; readonly by: PreparedLimit }

export interface Limiter {
  /** `dataPlanes`: how many share each limit, at least 1. */
  take(limits: readonly PreparedLimit[], exchange: Exchange, dataPlanes: number): TakeResult
  /** Frees concurrency slots; called once per exchange by record. */
  release(held: readonly number[]): void
}
