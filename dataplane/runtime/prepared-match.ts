/**
 * One match of a rule, prepared, and whether a request has what it asks for beside its path: method,
 * headers, query. Built by build-rule, asked by the matcher.
 * Pinned by matcher.test.ts: "the matcher and its plain twin agree on random tables and requests".
 */
import type { PathSegment } from '#wire/table'
import type { Exchange } from '../request/exchange.ts'
import { headerValue } from '../request/headers.ts'
import type { Prepared } from './expression-types.ts'
import type { Pattern } from './pattern.ts'
import type { PreparedRule } from './runtime.ts'

export interface PreparedMatch {
  /** Null: any. GET does not imply HEAD: Gateway API compares methods exactly, and so do we. */
  readonly method: string | null
  readonly path: PreparedPath
  readonly headers: readonly PreparedPredicate[] | null
  readonly queryParams: readonly PreparedPredicate[] | null
  readonly when: Prepared | null
}

export type PreparedPath =
  | { readonly kind: 'any' }
  | {
      readonly kind: 'segments'
      readonly segments: readonly PathSegment[]
      readonly end: 'exact' | 'below'
      /** Some segment is a param. */
      readonly captures: 'params' | 'nothing'
    }
  | { readonly kind: 'regex'; readonly pattern: Pattern }

export interface PreparedPredicate {
  readonly name: string
  readonly test:
    | { readonly kind: 'exact'; readonly value: string }
    | { readonly kind: 'prefix'; readonly value: string }
    | { readonly kind: 'regex'; readonly pattern: Pattern }
    | { readonly kind: 'present' }
}

/** In the order of `Host.entries`, which is final. */
export interface MatcherEntry {
  readonly rule: PreparedRule
  readonly match: PreparedMatch
}

/** Repeated lines of a header are one value, as RFC 9110 has it. */
export function headersHold(
  predicates: readonly PreparedPredicate[] | null,
  exchange: Exchange,
): boolean {
  if (predicates === null) return true
  for (const predicate of predicates) {
    if (!holds(predicate, headerValue(exchange.headers, predicate.name))) return false
  }
  return true
}

/** `pairs`: the query decoded. Of a repeated name the first value counts, as in Gateway API. */
export function queryHolds(
  predicates: readonly PreparedPredicate[] | null,
  pairs: readonly string[],
): boolean {
  if (predicates === null) return true
  for (const predicate of predicates) {
    if (!holds(predicate, valueIn(pairs, predicate.name))) return false
  }
  return true
}

function valueIn(pairs: readonly string[], name: string): string | null {
  for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === name) return pairs[i + 1] ?? ''
  return null
}

function holds(predicate: PreparedPredicate, value: string | null): boolean {
  if (value === null) return false
  switch (predicate.test.kind) {
    case 'exact':
      return value === predicate.test.value
    case 'prefix':
      return value.startsWith(predicate.test.value)
    case 'regex':
      return predicate.test.pattern.test(value)
    case 'present':
      return true
    default:
      return predicate.test satisfies never
  }
}
