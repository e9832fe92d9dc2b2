/**
 * Reads templates: text with `${ CEL }` holes, JSON documents with such text in them, and the paths
 * of an aggregate's calls. Used by the compile steps of routes, policies and aggregates.
 * Pinned by template.test.ts: "a closing brace inside a string, a list or a map does not end a hole".
 */
import type { CallPath } from '#wire/aggregate'
import type { Template, TemplateTree } from '#wire/value'
import type { ExpressionFacts, Within } from './expression.ts'
import type { Checked, FieldPath } from './problem.ts'

export interface CheckedWithFacts<T> extends Checked<T> {
  /** Of all expressions in it together. */
  readonly facts: ExpressionFacts
}

export function parseTemplate(
  _text: string,
  _at: FieldPath<string>,
  _within: Within,
): CheckedWithFacts<Template | null> {
  throw new Error('in work')
}

/** `json`: as decoded from the resource. Strings in it are templates, everything else stays. */
export function parseTree(
  _json: unknown,
  _at: FieldPath<unknown>,
  _within: Within,
): CheckedWithFacts<TemplateTree | null> {
  throw new Error('in work')
}

/** `/orders/${…}?expand=${…}`: only literal text may hold `/ ? # &`. */
export function parseCallPath(
  _text: string,
  _at: FieldPath<string>,
  _within: Within,
): CheckedWithFacts<CallPath | null> {
  throw new Error('in work')
}
