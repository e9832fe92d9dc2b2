/**
 * One entry of a RateLimitPolicy as a table holds it.
 */
import type { Expression } from './value.ts'

/** Key: `namespace/policy/entry`. The bucket belongs to it unless `per` says otherwise. */
export interface Limit {
  readonly policy: string
  readonly name: string
  readonly per: 'policy' | 'route' | 'rule'
  readonly stage: 'beforeAuth' | 'afterAuth'
  readonly mode: 'enforce' | 'observe'
  /** Null: one bucket for all. */
  readonly key: Expression | null
  readonly onMissingKey: 'refuse' | 'shared'
  /** Null: always applies. A failure at run time makes it apply. */
  readonly when: Expression | null
  readonly measure:
    | {
        readonly kind: 'rate'
        /** Null: 1. A failure costs 1, a negative value 0. */
        readonly cost: Expression | null
        readonly rate: Rate
        /** The first whose `when` is true replaces `rate`. */
        readonly rates: readonly { readonly when: Expression; readonly rate: Rate }[]
      }
    | { readonly kind: 'concurrency'; readonly max: number }
}

/** `count` per `periodMs`, of which up to `burst` may come at once. */
export interface Rate {
  readonly count: number
  readonly periodMs: number
  readonly burst: number
}
