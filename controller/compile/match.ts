/**
 * One way in which a rule matches: method, path, header and query predicates, and `when`. What is
 * broken never makes a match wider: its rule answers for the requests that it would have taken, and
 * for no others.
 * Pinned by match.test.ts: "a broken predicate leaves the match as narrow as it can be".
 */
import type { RouteMatch } from '../../crds/api-route.ts'
import type { Match, PathPattern, ValuePredicate } from '#wire/table'
import type { Expression } from '#wire/value'
import { checkExpression, checkPattern, type Within } from './expression.ts'
import { parsePathPattern, type SegmentsPattern } from './path-pattern.ts'
import type { Checked, FieldPath, Problem } from './problem.ts'

export interface CompiledMatch {
  readonly match: Match
  readonly captures: Captures
}

/** What a rewrite of the rule may use, if every match of the rule has it. */
export interface Captures {
  readonly at: FieldPath<RouteMatch>
  readonly params: ReadonlySet<string>
  readonly rest: 'captured' | 'absent'
}

/** Null where its path cannot be known: then there are no requests that it could answer for. */
export function compileMatch(
  spec: RouteMatch,
  at: FieldPath<RouteMatch>,
  within: Within,
): Checked<CompiledMatch | null> {
  const path = compilePath(spec, at)
  const headers = compilePredicates(spec.headers ?? [], at.child('headers'), 'header')
  const query = compilePredicates(spec.queryParams ?? [], at.child('queryParams'), 'query')
  const when = compileWhen(spec, at, within)
  const problems = [...path.problems, ...headers.problems, ...query.problems, ...when.problems]
  if (path.value === null) return { value: null, problems }
  const { pattern, params, rest } = path.value
  const match: Match = {
    method: spec.method ?? null,
    path: pattern,
    headers: headers.value,
    queryParams: query.value,
    when: when.value,
  }
  return { value: { match, captures: { at, params, rest } }, problems }
}

function compileWhen(
  spec: RouteMatch,
  at: FieldPath<RouteMatch>,
  within: Within,
): Checked<Expression | null> {
  if (spec.when === undefined) return { value: null, problems: [] }
  const { value, problems } = checkExpression(spec.when, at.child('when'), {
    ...within,
    expects: 'bool',
  })
  return { value: value === null ? null : spec.when, problems }
}

// ---- path -----------------------------------------------------------------------------------

interface CompiledPath {
  readonly pattern: PathPattern
  readonly params: ReadonlySet<string>
  readonly rest: Captures['rest']
}

const ANY: CompiledPath = { pattern: { kind: 'any' }, params: new Set(), rest: 'absent' }

function compilePath(spec: RouteMatch, at: FieldPath<RouteMatch>): Checked<CompiledPath | null> {
  if (spec.pathRegex !== undefined) return compileRegex(spec.pathRegex, at.child('pathRegex'))
  if (spec.path === undefined) return { value: ANY, problems: [] }
  const parsed = parsePathPattern(spec.path)
  if (parsed.kind === 'refused') {
    return { value: null, problems: [at.child('path').problem('Invalid', parsed.because)] }
  }
  const { pattern } = parsed
  const rest = pattern.end === 'below' ? 'captured' : 'absent'
  return { value: { pattern, params: paramsOf(pattern), rest }, problems: [] }
}

function paramsOf({ segments }: SegmentsPattern): ReadonlySet<string> {
  return new Set(segments.flatMap((segment) => ('param' in segment ? [segment.param] : [])))
}

function compileRegex(pattern: string, at: FieldPath<string>): Checked<CompiledPath | null> {
  const { value: names, problems } = checkPattern(pattern, at)
  if (names === null) return { value: null, problems }
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) {
    const sentence = `The group "${twice}" is there twice; give each its own name.`
    return { value: null, problems: [...problems, at.problem('Invalid', sentence)] }
  }
  const params = new Set(names)
  return { value: { pattern: { kind: 'regex', pattern }, params, rest: 'absent' }, problems }
}

// ---- predicates -----------------------------------------------------------------------------

type PredicateSpec = NonNullable<RouteMatch['headers']>[number]

function compilePredicates(
  specs: readonly PredicateSpec[],
  at: FieldPath<readonly PredicateSpec[]>,
  of: 'header' | 'query',
): Checked<readonly ValuePredicate[]> {
  const problems: Problem[] = []
  const value = specs.map((spec, i): ValuePredicate => {
    const name = of === 'header' ? spec.name.toLowerCase() : spec.name
    const test = compileTest(spec, at.index(i))
    problems.push(...test.problems)
    return { name, test: test.value }
  })
  return { value, problems }
}

function compileTest(
  spec: PredicateSpec,
  at: FieldPath<PredicateSpec>,
): Checked<ValuePredicate['test']> {
  if (spec.exact !== undefined) {
    return { value: { kind: 'exact', value: spec.exact }, problems: [] }
  }
  if (spec.prefix !== undefined) {
    return { value: { kind: 'prefix', value: spec.prefix }, problems: [] }
  }
  if (spec.regex === undefined) return { value: { kind: 'present' }, problems: [] }
  const { value, problems } = checkPattern(spec.regex, at.child('regex'))
  if (value === null) return { value: { kind: 'present' }, problems }
  return { value: { kind: 'regex', pattern: spec.regex }, problems }
}
