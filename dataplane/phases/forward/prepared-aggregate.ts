/**
 * An aggregate as prepared at push: its calls with their expressions bound, in an order in which
 * each comes after those it depends on. Built by runtime/build, run by phases/forward/aggregate.
 */
import type { AggregateAction, Call, ForEach } from '#wire/aggregate'
import type {
  CelValue,
  ExpressionFailure,
  Prepared,
  PreparedTemplate,
  Scope,
} from '../../runtime/expression-types.ts'
import type { PreparedHeader } from '../../runtime/runtime.ts'

export interface PreparedAggregate {
  readonly kind: 'aggregate'
  readonly limits: Pick<
    AggregateAction,
    'deadlineMs' | 'callsMax' | 'concurrencyMax' | 'totalBytesMax'
  >
  readonly errors: AggregateAction['errors']
  readonly calls: readonly PreparedCall[]
  readonly response: {
    readonly status: PreparedTemplate | null
    readonly headers: readonly PreparedHeader[]
    readonly body: PreparedTree
  }
}

export interface PreparedCall {
  readonly call: Call
  /** Positions in `calls`. */
  readonly dependsOn: readonly number[]
  readonly when: Prepared | null
  readonly forEach:
    | (Pick<ForEach, 'as' | 'max' | 'concurrency' | 'overflow' | 'onItemError'> & {
        readonly in: Prepared
        readonly key: Prepared | null
      })
    | null
  readonly segments: readonly PreparedTemplate[]
  readonly query: readonly { readonly name: PreparedTemplate; readonly value: PreparedTemplate }[]
  readonly setHeaders: readonly PreparedHeader[]
  readonly body: PreparedTree | null
}

/** A document with holes, ready to be filled. Never throws. */
export interface PreparedTree {
  fill(scope: Scope): CelValue | ExpressionFailure
}
