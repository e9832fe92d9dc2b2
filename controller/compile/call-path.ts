/**
 * The path of an aggregate's call: cut into segments and query parts here, by its literal text
 * alone, so that no value can add a segment or a parameter when it is filled in.
 * Pinned by call-path.test.ts: "only literal text makes structure".
 */
import type { CallPath } from '#wire/aggregate'
import { canonicalPath } from '#wire/path'
import type { Template } from '#wire/value'
import type { Within } from './expression.ts'
import type { FieldPath, Problem } from './problem.ts'
import { parseTemplate, type CheckedWithFacts } from './template.ts'

type Part = Template[number]

/** `/orders/${…}?expand=${…}`: only literal text may hold `/ ? # &`. */
export function parseCallPath(
  text: string,
  at: FieldPath<string>,
  within: Within,
): CheckedWithFacts<CallPath | null> {
  const template = parseTemplate(text, at, within)
  if (template.value === null) return { ...template, value: null }
  const [path = [], ...queries] = cut(template.value, '?')
  const query = joined(queries)
  const problems = [...pathProblems(path, at), ...queryProblems(query, at)]
  if (problems.length > 0) return { value: null, problems, facts: template.facts }
  const value = {
    segments: cut(path, '/').slice(1).map(canonical),
    query: query === null ? [] : cut(query, '&').filter(notEmpty).map(nameAndValue),
  }
  return { value, problems, facts: template.facts }
}

/** At each place where the literal text has the separator. */
function cut(template: Template, separator: string): Part[][] {
  const pieces: Part[][] = [[]]
  for (const part of template) {
    const [first = part, ...others] = typeof part === 'string' ? part.split(separator) : [part]
    add(pieces, first)
    for (const other of others) {
      pieces.push([])
      add(pieces, other)
    }
  }
  return pieces.map((piece) => (piece.length === 0 ? [''] : piece))
}

function add(pieces: Part[][], part: Part): void {
  if (part !== '') pieces.at(-1)?.push(part)
}

/** A second `?` belongs to the query. */
function joined(queries: readonly (readonly Part[])[]): readonly Part[] | null {
  if (queries.length === 0) return null
  return queries.flatMap((query, i) => (i === 0 ? query : ['?', ...query]))
}

/** Holes count as a letter: whether the literal text is a path does not hang on their values. */
function shown(template: Template): string {
  return template.map((part) => (typeof part === 'string' ? part : 'x')).join('')
}

function pathProblems(path: Template, at: FieldPath<string>): Problem[] {
  const text = shown(path)
  if (!text.startsWith('/') || typeof path[0] !== 'string') {
    return [at.problem('Invalid', 'The path must start with a literal slash, as /orders.')]
  }
  if (text.includes('#')) return [at.problem('Invalid', 'A path has no fragment; remove the #.')]
  if (text.split('/').some((segment) => segment === '.' || segment === '..')) {
    return [at.problem('Invalid', 'The path must not hold the segments . and ..; write it out.')]
  }
  const read = canonicalPath(text)
  return read.kind === 'path' ? [] : [at.problem('Invalid', read.because)]
}

/** Unreserved characters, delimiters that mean nothing in a query, and escapes. */
const QUERY = /^(?:[A-Za-z0-9\-._~!$'()*+,;:@/?=&]|%[0-9A-Fa-f]{2})*$/

function queryProblems(query: Template | null, at: FieldPath<string>): Problem[] {
  if (query === null || QUERY.test(shown(query))) return []
  const sentence =
    'The query holds a character that must be percent-encoded, as %20 for a space; values in ' +
    '${ } are encoded by themselves.'
  return [at.problem('Invalid', sentence)]
}

/** Literal text in its one form; beside a hole it already stands in it, or has been refused. */
function canonical(segment: readonly Part[]): Template {
  return segment.map((part) => (typeof part === 'string' ? canonicalText(part) : part))
}

function canonicalText(text: string): string {
  const read = canonicalPath(`/${text}`)
  return read.kind === 'path' ? read.path.slice(1) : text
}

function notEmpty(template: Template): boolean {
  return shown(template) !== ''
}

/** At the first `=`; without one the value is empty. */
function nameAndValue(part: Template): CallPath['query'][number] {
  const [name = [''], ...values] = cut(part, '=')
  const value: Part[] = []
  for (const [i, piece] of values.entries()) {
    if (i > 0) append(value, '=')
    for (const each of piece) append(value, each)
  }
  return { name, value: value.length === 0 ? [''] : value }
}

/** Neighbouring literal parts are one. */
function append(parts: Part[], part: Part): void {
  const last = parts.at(-1)
  if (typeof last === 'string' && typeof part === 'string') parts[parts.length - 1] = last + part
  else parts.push(part)
}
