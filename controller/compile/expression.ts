/**
 * Checks CEL expressions as users wrote them, before anything runs: what the data planes could not
 * execute, or would execute differently from what was meant, is a problem with its column and what
 * to do. Used by every compile step that meets an expression.
 * Pinned by expression.test.ts: "whatever is accepted can be prepared".
 */
import type { Place } from '#wire/vocabulary'
import type { Checked, FieldPath } from './problem.ts'

/** Where an expression stands, and what it may read there. */
export interface Within {
  readonly place: Place
  /** Names of forEach variables. */
  readonly locals?: readonly string[]
  /** Names of the aggregate's calls that may be read. */
  readonly calls?: readonly string[]
  /** The rule reads the request's body. Absent: no. */
  readonly readBody?: 'yes' | 'no'
}

/** What one or several expressions read. All lists are sorted and without duplicates. */
export interface ExpressionFacts {
  /** `request`, `auth` …, and forEach variables. */
  readonly variables: readonly string[]
  /** Names of calls. */
  readonly calls: readonly string[]
  /** Lower-case names of request headers; `*` where a name is computed or all are read. */
  readonly headers: readonly string[]
  /** First names below auth.claims; `*` likewise. */
  readonly claims: readonly string[]
  readonly body: 'read' | 'unread'
}

export function checkExpression(
  _source: string,
  _at: FieldPath<string>,
  _within: Within,
): Checked<ExpressionFacts | null> {
  throw new Error('in work')
}

/** RE2, anchored at both ends where it is used. The value is the names of its groups. */
export function checkPattern(
  _pattern: string,
  _at: FieldPath<string>,
): Checked<readonly string[] | null> {
  throw new Error('in work')
}
