/**
 * The plain twin of the matcher: what it means, without a tree. Proved by matcher.test.ts; used by
 * nothing else.
 */
import { decodedSegment, segmentsOf } from '#wire/path'
import type { Exchange } from '../request/exchange.ts'
import { queryPairs } from '../request/query.ts'
import { type MatcherEntry, headersHold, queryHolds } from './prepared-match.ts'

export interface PlainHost {
  readonly key: string
  readonly namespace: string
  readonly entries: readonly MatcherEntry[]
}

export type PlainAnswer =
  | {
      readonly kind: 'rule'
      readonly rule: string
      readonly params: object
      readonly rest: unknown
    }
  | { readonly kind: 'failed'; readonly rule: string }
  | { readonly kind: 'missed'; readonly methods: readonly string[] }

export function plainMatch(hosts: readonly PlainHost[], exchange: Exchange): PlainAnswer {
  const covering = hosts.filter(({ key }) => covers(key, exchange.host)).toSorted(bySpecificity)
  const own = covering.filter((host) => host.namespace === covering[0]?.namespace)
  const candidates = own.flatMap((host) => host.entries).filter((e) => fits(e, exchange))
  const scope = { exchange, caller: null, calls: null, locals: null }
  for (const { match, rule } of candidates) {
    if (match.method !== null && match.method !== exchange.method) continue
    const when = match.when?.test(scope) ?? 'true'
    if (when === 'failed') return { kind: 'failed', rule: rule.key }
    if (when === 'true') return { kind: 'rule', rule: rule.key, ...captured(match.path, exchange) }
  }
  const others = candidates.filter(({ match }) => (match.when?.test(scope) ?? 'true') === 'true')
  return { kind: 'missed', methods: [...new Set(others.map(({ match }) => match.method ?? ''))] }
}

function covers(key: string, host: string): boolean {
  return (
    key === '*' ||
    key === host ||
    (key.startsWith('*.') && /^[^.]/.test(host) && host.endsWith(key.slice(1)))
  )
}

function bySpecificity(a: PlainHost, b: PlainHost): number {
  const rank = (key: string): number => (key === '*' ? 0 : key.startsWith('*') ? key.length : 1e6)
  return rank(b.key) - rank(a.key)
}

function fits({ match }: MatcherEntry, exchange: Exchange): boolean {
  if (!headersHold(match.headers, exchange)) return false
  if (!queryHolds(match.queryParams, queryPairs(exchange.query))) return false
  if (match.path.kind === 'any') return true
  if (match.path.kind === 'regex') return match.path.pattern.test(exchange.path)
  const seen = segmentsOf(exchange.path)
  const { segments, end } = match.path
  if (end === 'exact' ? seen.length !== segments.length : seen.length < segments.length)
    return false
  return segments.every((s, i) => ('param' in s ? seen[i] !== '' : s.literal === seen[i]))
}

function captured(
  path: MatcherEntry['match']['path'],
  exchange: Exchange,
): { readonly params: object; readonly rest: unknown } {
  if (path.kind === 'any') return { params: {}, rest: exchange.path.slice(1) }
  if (path.kind === 'regex') {
    const groups = Object.entries(path.pattern.groups(exchange.path) ?? {})
    const decoded = groups.map(([name, text]) => [name, decodedSegment(text)])
    return { params: Object.fromEntries(decoded), rest: null }
  }
  const seen = segmentsOf(exchange.path)
  const params = path.segments.flatMap((s, i) =>
    'param' in s ? [[s.param, decodedSegment(seen[i] ?? '')]] : [],
  )
  const below = seen.slice(path.segments.length)
  const rest = path.end === 'below' && below.length > 0 ? below.join('/') : null
  return { params: Object.fromEntries(params), rest }
}
