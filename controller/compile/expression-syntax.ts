/**
 * From text to CEL's tree, or to one sentence that a user can act on: bounds first, then the
 * parser, whose complaints name the place where it gave up but not what was meant.
 * Pinned by expression.test.ts: "a mistake of syntax is named where it is".
 */
import { parse } from '@bufbuild/cel'
import { scanExpression, utf8Bytes, type TextScan } from '#wire/expression-text'
import { EXPRESSION_BYTES_MAX, EXPRESSION_NESTING_MAX } from '#wire/limits'
import type { ConditionReason } from '../../crds/condition.ts'

export type Tree = ReturnType<typeof parse>['expr']

/** One mistake in an expression; `at` is a position in its text. */
export interface Fault {
  readonly reason: ConditionReason
  readonly at: number
  readonly sentence: string
}

export type Read =
  | { readonly kind: 'tree'; readonly tree: Tree; readonly positions: Positions }
  | { readonly kind: 'fault'; readonly fault: Fault }

/** By a node's id. */
export type Positions = { readonly [id: string]: number }

export function readExpression(source: string): Read {
  const fault = outOfBounds(source) ?? inBraces(source)
  if (fault !== null) return { kind: 'fault', fault }
  try {
    const parsed = parse(source)
    return { kind: 'tree', tree: parsed.expr, positions: parsed.sourceInfo?.positions ?? {} }
  } catch (error) {
    return { kind: 'fault', fault: syntaxFault(source, error) }
  }
}

function outOfBounds(source: string): Fault | null {
  if (source.trim() === '') {
    return invalid(
      0,
      'the expression is empty. An unquoted ! starts a YAML tag: `when: !a` is read as an empty ' +
        "text; write it in quotes, when: '!a'",
    )
  }
  if (utf8Bytes(source) > EXPRESSION_BYTES_MAX) {
    return expensive(0, `the expression is longer than ${EXPRESSION_BYTES_MAX} bytes; shorten it`)
  }
  const scan = scanExpression(source, 0, 'whole')
  if (scan.deepest > EXPRESSION_NESTING_MAX) {
    return expensive(0, `brackets nest deeper than ${EXPRESSION_NESTING_MAX}; simplify it`)
  }
  return scan.fault === 'none' ? null : invalid(scan.at, openSentence(source, scan))
}

function openSentence(source: string, scan: TextScan): string {
  const character = source.charAt(scan.at)
  switch (scan.fault) {
    case 'string':
      return `the text that begins here is not closed; add ${character} at its end`
    case 'unclosed':
      return `the ${character} is never closed`
    case 'unopened':
      return `the ${character} closes nothing that is open`
    case 'none':
      return ''
    default:
      return scan.fault satisfies never
  }
}

/** `${…}` belongs to templates; here it would only look as if it did something. */
function inBraces(source: string): Fault | null {
  const trimmed = source.trim()
  if (!trimmed.startsWith('${')) return null
  const scan = scanExpression(trimmed, 2, 'hole')
  const whole = scan.fault === 'none' && scan.end === trimmed.length - 1
  const bare = whole ? trimmed.slice(2, -1).trim() : 'a == b'
  return invalid(
    source.indexOf('${'),
    `this field is an expression, not a template: write it without \${ }, as ${bare}`,
  )
}

function syntaxFault(source: string, error: unknown): Fault {
  const at = offsetOf(error)
  if (at === null) return invalid(0, `this is not CEL: ${messageOf(error)}`)
  if (messageOf(error).includes('reserved identifier')) {
    return invalid(at, `${wordAt(source, at)} is a reserved word of CEL; use another name`)
  }
  // the parser takes "not" for a name, and stops at the word behind it
  const not = /\bnot\s*$/i.exec(source.slice(0, at))
  return not === null ? invalid(at, explain(source, at)) : invalid(not.index, 'for "not", write !')
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^=(?![=>])/, 'to compare, write =='],
  [/^=>/, 'to compare, write >= or =='],
  [/^===/, 'to compare, write =='],
  [/^and\b/i, 'for "and", write &&'],
  [/^or\b/i, 'for "or", write ||'],
  [/^&(?!&)/, 'for "and", write &&'],
  [/^\|(?!\|)/, 'for "or", write ||'],
  [/^\?[.[]/, 'optional access is not offered; write has(a.b) && … or value(a.b, default)'],
  [/^\.\?|^\.`/, 'write a["b"] for names that are no identifiers, and has(a.b) to test for one'],
  [/^\?/, 'a condition needs both branches: a ? b : c'],
  [/^\$\{/, '${ } belongs to templates; write the expression alone'],
  [/^;/, 'there is one expression, without a semicolon'],
]

/** The parser stops before the operator whose right side it cannot read. */
function explain(source: string, at: number): string {
  const rest = source.slice(at)
  if (rest.trim() === '') return 'the expression ends here, but something must follow'
  const hint = HINTS.find(([pattern]) => pattern.test(rest))
  if (hint !== undefined) return hint[1]
  const operator = /^(?:==|!=|<=|>=|&&|\|\||in\b|[+\-*/%<>.!,:])/.exec(rest)?.[0]
  if (operator === undefined) return `${quoted(rest)} cannot stand here`
  const after = rest.slice(operator.length)
  const next = after.trim()
  if (next === '') return `something must follow ${operator}`
  const inner = HINTS.find(([pattern]) => pattern.test(next))
  if (inner !== undefined) return inner[1]
  return `what follows ${operator} cannot be read: ${quoted(next)}`
}

function quoted(text: string): string {
  const line = /^\S[^\n]{0,19}/.exec(text)?.[0] ?? text.slice(0, 1)
  return JSON.stringify(line)
}

function wordAt(source: string, at: number): string {
  return /^\w+/.exec(source.slice(at))?.[0] ?? quoted(source.slice(at))
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The library's parse errors carry a location; its class is not exported. */
function offsetOf(error: unknown): number | null {
  if (!(error instanceof Error) || !('location' in error)) return null
  const { location } = error
  if (typeof location !== 'object' || location === null || !('start' in location)) return null
  const { start } = location
  if (typeof start !== 'object' || start === null || !('offset' in start)) return null
  return typeof start.offset === 'number' ? start.offset : null
}

export function invalid(at: number, sentence: string): Fault {
  return { reason: 'InvalidExpression', at, sentence }
}

export function expensive(at: number, sentence: string): Fault {
  return { reason: 'TooExpensive', at, sentence }
}

/** `column 7`, or `line 2, column 3` in texts of several lines. */
export function placeOf(text: string, at: number): string {
  const before = text.slice(0, at)
  const line = before.split('\n').length
  const column = at - before.lastIndexOf('\n')
  return text.includes('\n') ? `line ${line}, column ${column}` : `column ${column}`
}
