/**
 * What a prepared expression is to the rest of the data plane: a function from a scope to a value or
 * to a failure, within a budget of its own.
 */
import type { Caller } from '../phases/authenticate/caller.ts'
import type { Exchange } from '../request/exchange.ts'

/** CEL values at run time: JSON's, int64 and uint as bigint, bytes, maps and lists. */
export type CelValue = unknown

/** What expressions may read. Everything is reached by getters, so that nothing unread costs. */
export interface Scope {
  readonly exchange: Exchange
  /** Null before authenticate and for open rules: `auth` is then the anonymous caller. */
  readonly caller: Caller | null
  /** An aggregate's settled calls by name; null elsewhere. */
  readonly calls: { readonly [name: string]: CelValue } | null
  /** The forEach item by its own name; null elsewhere. */
  readonly locals: { readonly [name: string]: CelValue } | null
}

export interface ExpressionFailure {
  readonly kind: 'expression-failure'
  /** For logs and explain; may name fields, never values. */
  readonly reason: string
}

export interface Prepared {
  readonly source: string
  /** Never throws. */
  evaluate(scope: Scope): CelValue | ExpressionFailure
  /** Exactly true, exactly false, or failed; any other value is a failure. */
  test(scope: Scope): 'true' | 'false' | 'failed'
}

export interface PreparedTemplate {
  /** Text, or a failure of any of its expressions. Never throws. */
  render(scope: Scope): string | ExpressionFailure
  /** The value itself where the template is exactly one expression; else as render. */
  value(scope: Scope): CelValue | ExpressionFailure
}
