/**
 * A rule's matches made ready. What cannot be made ready is left out of the match, which then takes
 * more requests than was meant, and the whole rule answers 503: nothing falls through to a wider
 * rule because this one is not understood here.
 * Pinned by build-rule.test.ts: "a rule that cannot be prepared answers 503 wherever it could match".
 */
import type { Match, PathPattern, ValuePredicate } from '#wire/table'
import type { Preparer } from './prepare.ts'
import type { PreparedMatch, PreparedPath, PreparedPredicate } from './prepared-match.ts'
import { isRefused } from './preparer.ts'

/** `refusals`: gets the reasons of everything that was left out. */
export function buildMatch(match: Match, prepare: Preparer, refusals: string[]): PreparedMatch {
  const when = match.when === null ? null : prepare.expression(match.when)
  if (isRefused(when)) refusals.push(`when: ${when.because}`)
  return {
    method: match.method,
    path: buildPath(match.path, prepare, refusals),
    headers: buildPredicates(match.headers, prepare, refusals),
    queryParams: buildPredicates(match.queryParams, prepare, refusals),
    when: isRefused(when) ? null : when,
  }
}

function buildPath(path: PathPattern, prepare: Preparer, refusals: string[]): PreparedPath {
  switch (path.kind) {
    case 'any':
      return path
    case 'segments':
      return { ...path, captures: path.segments.some((s) => 'param' in s) ? 'params' : 'nothing' }
    case 'regex': {
      const pattern = prepare.pattern(path.pattern)
      if (!isRefused(pattern)) return { kind: 'regex', pattern }
      refusals.push(`pathRegex: ${pattern.because}`)
      return { kind: 'any' }
    }
    default:
      return path satisfies never
  }
}

function buildPredicates(
  predicates: readonly ValuePredicate[],
  prepare: Preparer,
  refusals: string[],
): readonly PreparedPredicate[] | null {
  const built = predicates.flatMap(({ name, test }): readonly PreparedPredicate[] => {
    if (test.kind !== 'regex') return [{ name, test }]
    const pattern = prepare.pattern(test.pattern)
    if (!isRefused(pattern)) return [{ name, test: { kind: 'regex', pattern } }]
    refusals.push(`${name}: ${pattern.because}`)
    return []
  })
  return built.length === 0 ? null : built
}
