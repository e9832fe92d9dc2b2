/**
 * Expressions whose parser is there from the start, for whoever does not count milliseconds: tests,
 * benches, and single uses. Workers load it when a table needs it.
 * Proved by expression.test.ts.
 */
import { parse } from '@bufbuild/cel'
import type { Expression } from '#wire/value'
import { type Expressions, expressionsWith } from './expression-closures.ts'
import type { Prepared } from './expression-types.ts'
import type { Refused } from './prepare.ts'

export function createExpressions(): Expressions {
  return expressionsWith({ get: () => parse })
}

/** Without sharing. */
export function prepareExpression(
  source: Expression,
  locals: readonly string[] = [],
): Prepared | Refused {
  return createExpressions().prepare(source, locals)
}
