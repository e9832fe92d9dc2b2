/**
 * An aggregate as prepared at push: its calls with their expressions bound, in an order in which
 * each comes after those it depends on. Built by build-aggregate.ts, run by aggregate.ts.
 */
import type { AggregateAction, Call, ForEach } from '#wire/aggregate'
import type {
  CelValue,
  ExpressionFailure,
  Prepared,
  PreparedTemplate,
  Scope,
} from '../../runtime/expression-types.ts'
import type { PreparedDelivery } from '../../upstream/delivery.ts'
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
    readonly body: Piece
  }
}

export interface PreparedCall {
  readonly call: Call
  /** Positions in `calls`. */
  readonly dependsOn: readonly number[]
  readonly when: Prepared | null
  readonly forEach: PreparedForEach | null
  readonly segments: readonly PreparedTemplate[]
  readonly query: readonly { readonly name: PreparedTemplate; readonly value: PreparedTemplate }[]
  readonly setHeaders: readonly PreparedHeader[]
  readonly body: PreparedTree | null
  /** What is expected of the answer and when, as text: calls that differ in it are not equal. */
  readonly expects: string
  readonly delivery: PreparedDelivery
  /** Paths of the response's body that show it: where a hole is, when it fails. */
  readonly shownAt: readonly string[]
}

export interface PreparedForEach
  extends Pick<ForEach, 'as' | 'max' | 'concurrency' | 'overflow' | 'onItemError'> {
  readonly in: Prepared
  readonly key: Prepared | null
}

/** A document with holes, ready to be filled. Never throws. */
export interface PreparedTree {
  fill(scope: Scope): CelValue | ExpressionFailure
}

/** The response's body, kept in pieces: each hole that cannot be filled is one of its own. */
export type Piece =
  /** JSON text as it stands. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'hole'; readonly path: string; readonly template: PreparedTemplate }
  | {
      readonly kind: 'object'
      readonly fields: readonly { readonly name: string; readonly piece: Piece }[]
    }
  | { readonly kind: 'list'; readonly items: readonly Piece[] }
