/**
 * Reads templates: text with `${ CEL }` holes, and JSON documents with such text in them. Used by
 * the compile steps of routes, policies and aggregates.
 * Pinned by template.test.ts: "a closing brace inside a string, a list or a map does not end a hole".
 */
import { scanExpression, type TextScan } from '#wire/expression-text'
import { JSON_NESTING_MAX } from '#wire/limits'
import type { Json, Template, TemplateTree } from '#wire/value'
import { examine, mergeFacts, NO_FACTS, problemOf } from './expression.ts'
import type { ExpressionFacts, Within } from './expression.ts'
import { invalid, type Fault } from './expression-syntax.ts'
import { FieldPath, type Checked, type Problem } from './problem.ts'

export interface CheckedWithFacts<T> extends Checked<T> {
  /** Of all expressions in it together. */
  readonly facts: ExpressionFacts
}

export function parseTemplate(
  text: string,
  at: FieldPath<string>,
  within: Within,
): CheckedWithFacts<Template | null> {
  const { expects: _, ...anyType } = within
  const parts: (string | { readonly expr: string })[] = []
  const facts: ExpressionFacts[] = []
  const problems: Problem[] = []
  for (const piece of piecesOf(text)) {
    if (piece.kind === 'text') parts.push(piece.text)
    if (piece.kind === 'fault') problems.push(problemOf(piece.fault, text, at))
    if (piece.kind !== 'hole') continue
    const examined = examine(piece.source, anyType)
    for (const fault of examined.faults) {
      problems.push(problemOf({ ...fault, at: fault.at + piece.at }, text, at))
    }
    if (examined.facts !== null) facts.push(examined.facts)
    parts.push({ expr: piece.source.trim() })
  }
  if (parts.length === 0) parts.push('')
  return { value: problems.length === 0 ? parts : null, problems, facts: mergeFacts(facts) }
}

/** The expressions in a template, up to where it can no longer be read. */
export function holesOf(text: string): readonly string[] {
  return piecesOf(text).flatMap((piece) => (piece.kind === 'hole' ? [piece.source] : []))
}

type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'hole'; readonly source: string; readonly at: number }
  | { readonly kind: 'fault'; readonly fault: Fault }

/** Literal text and holes in their order; `$${` writes `${`. A fault is the last piece. */
function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = []
  let literal = ''
  let i = 0
  while (i < text.length) {
    const dollar = text.indexOf('$', i)
    literal += text.slice(i, dollar === -1 ? text.length : dollar)
    if (dollar === -1) break
    i = dollar + 1
    if (text.startsWith('$${', dollar)) {
      literal += '${'
      i = dollar + 3
    } else if (text.startsWith('${', dollar)) {
      if (literal !== '') pieces.push({ kind: 'text', text: literal })
      literal = ''
      const scan = scanExpression(text, dollar + 2, 'hole')
      const piece = holeOf(text, dollar, scan)
      pieces.push(piece)
      if (piece.kind === 'fault') return pieces
      i = scan.end + 1
    } else {
      literal += '$'
    }
  }
  if (literal !== '') pieces.push({ kind: 'text', text: literal })
  return pieces
}

function holeOf(text: string, start: number, scan: TextScan): Piece {
  const from = start + 2
  if (scan.end === text.length) return { kind: 'fault', fault: openFault(text, start, scan) }
  const source = text.slice(from, scan.end)
  if (source.trim() !== '') return { kind: 'hole', source, at: from }
  const sentence = 'there is no expression between ${ and }; for a literal ${ write $${'
  return { kind: 'fault', fault: invalid(start, sentence) }
}

function openFault(text: string, start: number, scan: TextScan): Fault {
  const character = text.charAt(scan.at)
  switch (scan.fault) {
    case 'string':
      return invalid(
        scan.at,
        `the text that begins here is not closed; add ${character} at its end`,
      )
    case 'unopened':
      return invalid(scan.at, `the ${character} closes nothing that is open`)
    case 'unclosed':
    case 'none':
      return invalid(start, 'the ${ that begins here has no }; for a literal ${ write $${')
    default:
      return scan.fault satisfies never
  }
}

/** `json`: as decoded from the resource. Strings in it are templates, everything else stays. */
export function parseTree(
  json: unknown,
  at: FieldPath<unknown>,
  within: Within,
): CheckedWithFacts<TemplateTree | null> {
  const work: TreeWork = { within, facts: [], problems: [] }
  const tree = treeOf(json, at, work, 0)
  const { facts, problems } = work
  const value = problems.length === 0 ? tree : null
  return { value, problems, facts: facts.length === 0 ? NO_FACTS : mergeFacts(facts) }
}

interface TreeWork {
  readonly within: Within
  readonly facts: ExpressionFacts[]
  readonly problems: Problem[]
}

const NOTHING: TemplateTree = { kind: 'value', value: null }

function treeOf(
  json: unknown,
  at: FieldPath<unknown>,
  work: TreeWork,
  depth: number,
): TemplateTree {
  if (depth > JSON_NESTING_MAX) {
    work.problems.push(at.problem('TooExpensive', `This nests deeper than ${JSON_NESTING_MAX}.`))
    return NOTHING
  }
  if (Array.isArray(json)) {
    const items = json.map((item, i) => treeOf(item, at.index(i), work, depth + 1))
    return collapsed({ kind: 'list', items })
  }
  switch (typeof json) {
    case 'string':
      return textTree(json, at, work)
    case 'boolean':
      return { kind: 'value', value: json }
    case 'number':
      return numberTree(json, at, work)
    case 'object':
      return objectTree(json, at, work, depth)
    default:
      work.problems.push(at.problem('Invalid', 'This is no JSON value.'))
      return NOTHING
  }
}

function textTree(text: string, at: FieldPath<unknown>, work: TreeWork): TemplateTree {
  const parsed = parseTemplate(text, new FieldPath<string>(at.text), work.within)
  work.problems.push(...parsed.problems)
  work.facts.push(parsed.facts)
  const template = parsed.value ?? ['']
  const [first, ...others] = template
  const literal = others.length === 0 && typeof first === 'string'
  return literal ? { kind: 'value', value: first } : { kind: 'template', template }
}

function numberTree(json: number, at: FieldPath<unknown>, work: TreeWork): TemplateTree {
  if (Number.isFinite(json)) return { kind: 'value', value: json }
  work.problems.push(at.problem('Invalid', 'JSON has no such number.'))
  return NOTHING
}

/** Keys that YAML 1.1 makes of `on`, `yes`, `y`, `no`, `n` and `off`. */
const BOOLEAN_KEYS: readonly string[] = ['true', 'false']

function objectTree(
  json: object | null,
  at: FieldPath<unknown>,
  work: TreeWork,
  depth: number,
): TemplateTree {
  if (json === null) {
    const sentence = 'A literal null does not survive kubectl apply; write "${null}" instead.'
    work.problems.push(at.problem('Invalid', sentence))
    return NOTHING
  }
  const fields = Object.entries(json).map(([name, child]) => {
    const path = at.key(name)
    if (BOOLEAN_KEYS.includes(name)) {
      const sentence = `YAML 1.1 reads on, yes, y, no, n and off as ${name}; quote the key.`
      work.problems.push(path.problem('Invalid', sentence))
    }
    return { name, tree: treeOf(child, path, work, depth + 1) }
  })
  return collapsed({ kind: 'object', fields })
}

/** A part of the document without any hole is a value, which costs nothing to fill. */
function collapsed(tree: Extract<TemplateTree, { kind: 'object' | 'list' }>): TemplateTree {
  if (tree.kind === 'list') {
    const values = tree.items.flatMap((item) => (item.kind === 'value' ? [item.value] : []))
    return values.length === tree.items.length ? { kind: 'value', value: values } : tree
  }
  const entries: [string, Json][] = []
  for (const { name, tree: child } of tree.fields) {
    if (child.kind !== 'value') return tree
    entries.push([name, child.value])
  }
  return { kind: 'value', value: Object.fromEntries(entries) }
}
