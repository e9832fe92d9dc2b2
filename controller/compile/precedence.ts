/**
 * The only sort of compile: which of two matches is asked first (design: section 4), and who is older.
 * The entries of a host are sorted again only when the host is touched, by the memo around it.
 * Pinned by precedence.test.ts: "the ranks put rules in the order that the plain twin puts them".
 */
import type { Match, PathPattern } from '#wire/table'

/** Someone whose age decides: the older holds, and where none is older, the name. */
export interface Aged {
  readonly createdMs: number
  readonly namespace: string
  readonly name: string
}

export function olderFirst(a: Aged, b: Aged): number {
  return a.createdMs - b.createdMs || byText(a.namespace, b.namespace) || byText(a.name, b.name)
}

export function byText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

export function oldestFirst<T extends Aged>(items: readonly T[]): readonly T[] {
  return items.toSorted(olderFirst)
}

export function inOrderOfText<T>(items: Iterable<T>, text: (item: T) => string): readonly T[] {
  return [...items].toSorted((a, b) => byText(text(a), text(b)))
}

// ---- rules ----------------------------------------------------------------------------------

/** One match of one rule, as a host lists it. */
export interface Ranked extends Aged {
  /** Key of the rule. */
  readonly rule: string
  /** Index into its matches. */
  readonly match: number
  /** Of the rule in its route. */
  readonly position: number
  readonly rank: Rank
}

/** Compared from left to right, smaller first. */
type Rank = readonly number[]

export function inPrecedence(entries: readonly Ranked[]): readonly Ranked[] {
  return entries.toSorted(firstAsked)
}

function firstAsked(a: Ranked, b: Ranked): number {
  for (let i = 0; i < a.rank.length; i += 1) {
    const difference = (a.rank[i] ?? 0) - (b.rank[i] ?? 0)
    if (difference !== 0) return difference
  }
  return olderFirst(a, b) || a.position - b.position || a.match - b.match
}

/** Path, then method, header predicates, query predicates, `when`: more of each comes first. */
export function rankOf(match: Match): Rank {
  return [
    ...pathRank(match.path),
    match.method === null ? 1 : 0,
    -match.headers.length,
    -match.queryParams.length,
    match.when === null ? 1 : 0,
  ]
}

/** Exact, template with more literal segments, longest prefix, regex; a match without path last. */
function pathRank(path: PathPattern): Rank {
  switch (path.kind) {
    case 'any':
      return [4, 0, 0]
    case 'regex':
      return [3, 0, 0]
    case 'segments': {
      const length = path.segments.length
      const literals = path.segments.filter((segment) => 'literal' in segment).length
      if (path.end === 'below') return [2, -length, -literals]
      return literals === length ? [0, 0, 0] : [1, -literals, 0]
    }
    default:
      return path satisfies never
  }
}
