/**
 * What a prepared expression is to the rest of the data plane: a function from a scope to a value or
 * to a failure, within a budget of its own.
 * Proved by expression.test.ts.
 */
import type { Caller } from '../phases/authenticate/caller.ts'
import type { Exchange } from '../request/exchange.ts'
import type {
  CelMap,
  CelType,
  Double,
  Duration,
  JsonText,
  Timestamp,
  Uint,
} from './expression-values.ts'

/**
 * CEL values at run time; what `JSON.parse` gives is one already. See expression-values.ts for which
 * number is an int and which a double, and json.ts for how text becomes a value and back.
 */
export type CelValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Double
  | Uint
  | Uint8Array
  | Timestamp
  | Duration
  | CelType
  | CelMap
  | JsonText
  | readonly CelValue[]
  | { readonly [name: string]: CelValue }

/** What expressions may read. Everything is reached by getters, so that nothing unread costs. */
export interface Scope {
  readonly exchange: Exchange
  /** Null before authenticate and for open rules: `auth` is then the anonymous caller. */
  readonly caller: Caller | null
  /** An aggregate's settled calls by name; null elsewhere. Own properties; getters are welcome. */
  readonly calls: { readonly [name: string]: CelValue } | null
  /** The forEach item by its own name; null elsewhere. */
  readonly locals: { readonly [name: string]: CelValue } | null
}

/** A class, so that no document can pass itself off as one: ask `isFailure`, never `.kind`. */
export class ExpressionFailure {
  readonly kind = 'expression-failure'
  /** For logs and explain; may name fields, never values. */
  readonly reason: string
  /** `absent`: something that was read does not exist, for which `value` has a default. */
  readonly why: 'absent' | 'broken'
  constructor(reason: string, why: 'absent' | 'broken' = 'broken') {
    this.reason = reason
    this.why = why
  }
}

export function isFailure(value: unknown): value is ExpressionFailure {
  return value instanceof ExpressionFailure
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
