/**
 * Checks CEL expressions as users wrote them, before anything runs: what the data planes could not
 * execute, or would execute differently from what was meant, is a problem with its column and what
 * to do. Used by every compile step that meets an expression.
 * Pinned by expression.test.ts: "whatever is accepted can be prepared".
 */
import type { Place } from '#wire/vocabulary'
import { compilePattern } from './expression-pattern.ts'
import type { Walk } from './expression-shape.ts'
import { invalid, placeOf, readExpression, type Fault, type Read } from './expression-syntax.ts'
import { visitValue } from './expression-walk.ts'
import type { Checked, FieldPath, Problem } from './problem.ts'

/** Where an expression stands, and what it may read there. */
export interface Within {
  readonly place: Place
  /** Names of forEach variables. */
  readonly locals?: readonly string[]
  /** Names of the aggregate's calls that may be read. */
  readonly calls?: readonly string[]
  /** Those of them with forEach: their value is a list or a map of answers. */
  readonly forEachCalls?: readonly string[]
  /** The rule reads the request's body. Absent: no. */
  readonly readBody?: 'yes' | 'no'
  /** What its value is used as: `when` and `require` need a bool. Absent: anything. */
  readonly expects?: 'bool'
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

export const NO_FACTS: ExpressionFacts = {
  variables: [],
  calls: [],
  headers: [],
  claims: [],
  body: 'unread',
}

export function checkExpression(
  source: string,
  at: FieldPath<string>,
  within: Within,
): Checked<ExpressionFacts | null> {
  const { facts, faults } = examine(source, within)
  return { value: facts, problems: faults.map((fault) => problemOf(fault, source, at)) }
}

/** Several mistakes of one expression are all named, but no more than help. */
const FAULTS_MAX = 5

export interface Examined {
  /** Null where something is wrong. */
  readonly facts: ExpressionFacts | null
  readonly faults: readonly Fault[]
}

export function examine(source: string, within: Within): Examined {
  const read = readExpression(source)
  if (read.kind === 'fault') return { facts: null, faults: [read.fault] }
  const walk = walkOver(read, within)
  if (walk.faults.length > 0) return { facts: null, faults: walk.faults.slice(0, FAULTS_MAX) }
  return { facts: factsOf(walk), faults: [] }
}

function walkOver(read: Extract<Read, { kind: 'tree' }>, within: Within): Walk {
  const walk: Walk = {
    within,
    positions: read.positions,
    faults: [],
    variables: new Set(),
    calls: new Set(),
    headers: new Set(),
    claims: new Set(),
    body: 'unread',
    nodes: 0,
  }
  const type = visitValue(walk, read.tree, [])
  if (within.expects === 'bool' && type !== 'bool' && type !== 'dyn') {
    walk.faults.push(invalid(0, `this field needs true or false, but the expression is a ${type}`))
  }
  return walk
}

function factsOf(walk: Walk): ExpressionFacts {
  return {
    variables: [...walk.variables].toSorted(),
    calls: [...walk.calls].toSorted(),
    headers: [...walk.headers].toSorted(),
    claims: [...walk.claims].toSorted(),
    body: walk.body,
  }
}

/** What several expressions read together. */
export function mergeFacts(all: readonly ExpressionFacts[]): ExpressionFacts {
  const [first, ...others] = all
  if (first === undefined) return NO_FACTS
  if (others.length === 0) return first
  const merge = (pick: (facts: ExpressionFacts) => readonly string[]): readonly string[] =>
    [...new Set(all.flatMap((facts) => pick(facts)))].toSorted()
  return {
    variables: merge((facts) => facts.variables),
    calls: merge((facts) => facts.calls),
    headers: merge((facts) => facts.headers),
    claims: merge((facts) => facts.claims),
    body: all.some((facts) => facts.body === 'read') ? 'read' : 'unread',
  }
}

/** The sentence begins with the place, because a field may hold several lines. */
export function problemOf(fault: Fault, text: string, at: FieldPath<string>): Problem {
  const stop = fault.sentence.endsWith('?') ? '' : '.'
  return at.problem(fault.reason, `At ${placeOf(text, fault.at)}: ${fault.sentence}${stop}`)
}

/** RE2, anchored at both ends where it is used. The value is the names of its groups. */
export function checkPattern(
  pattern: string,
  at: FieldPath<string>,
): Checked<readonly string[] | null> {
  const compiled = compilePattern(pattern)
  if (compiled.kind === 'pattern') return { value: compiled.groups, problems: [] }
  const { reason, sentence } = compiled.fault
  const text = `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`
  return { value: null, problems: [at.problem(reason, text)] }
}
