/**
 * CEL as closures: each expression of a table is parsed and bound once, when the table arrives, and
 * costs no more than the JavaScript that one would have written by hand. Equal texts share one.
 * Pinned by expression.test.ts: "every variable and function of the vocabulary evaluates".
 */
import type { Expression } from '#wire/value'
import type { Prepared } from './expression-types.ts'
import type { Refused } from './prepare.ts'

/** One per worker: holds the bounded cache and the budget that evaluations share. */
export interface Expressions {
  prepare(source: Expression, locals?: readonly string[]): Prepared | Refused
}

export function createExpressions(): Expressions {
  throw new Error('in work')
}

/** Without a cache: for single uses and tests. */
export function prepareExpression(
  source: Expression,
  locals: readonly string[] = [],
): Prepared | Refused {
  return createExpressions().prepare(source, locals)
}
