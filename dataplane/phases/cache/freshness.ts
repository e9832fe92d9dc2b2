/**
 * Whether an answer may be kept, for how long, and how old it is (RFC 9111 sections 3, 4.2 and 5.2).
 * Whatever cannot be read is taken as the answer not to keep.
 * Pinned by freshness.test.ts: "an answer is kept for as long as the plain twin says".
 */
import type { Cache } from '#wire/traffic'
import { headerLines, headerValue } from '../../request/headers.ts'

export interface Lifetime {
  /** Seconds for which it is fresh, from when the backend made it. */
  readonly freshS: number
  /** Seconds that it had when it came. */
  readonly ageS: number
  readonly stale: 'never' | 'allowed'
}

/** Statuses that speak of the thing itself; a part or an error of the moment is not kept. */
const KEPT: ReadonlySet<number> = new Set([200, 203, 301, 308, 404, 410])

export interface Kept {
  readonly status: number
  readonly headers: readonly string[]
  readonly nowMs: number
  /** Whether the request to the backend carried the client's own Authorization. */
  readonly authorization: 'sent' | 'none'
}

/** Null: it is not kept. */
export function lifetimeOf(answer: Kept, rule: Cache): Lifetime | null {
  const { headers, nowMs } = answer
  const directives = directivesOf(headers)
  if (mayKeep(answer, directives, rule.audience) === 'no') return null
  const own = ownLifetimeS(headers, directives, rule.audience)
  if (own === 'unreadable') return null
  const freshS = Math.min(rule.ttlS, own ?? rule.ttlS)
  const ageS = ageOf(headers, nowMs)
  const stale = NEVER_STALE.some((name) => directives.has(name)) ? 'never' : 'allowed'
  return freshS > ageS ? { freshS, ageS, stale } : null
}

const NEVER_STALE = ['must-revalidate', 'proxy-revalidate', 's-maxage']

function mayKeep(
  { status, headers, authorization }: Kept,
  directives: ReadonlyMap<string, string>,
  audience: Cache['audience'],
): 'yes' | 'no' {
  if (!KEPT.has(status) || headerValue(headers, 'set-cookie') !== null) return 'no'
  if (headerValue(headers, 'vary')?.includes('*') === true) return 'no'
  if (directives.has('no-store') || directives.has('no-cache')) return 'no'
  return audience === 'private' ? 'yes' : mayShare(directives, authorization)
}

function mayShare(
  directives: ReadonlyMap<string, string>,
  authorization: Kept['authorization'],
): 'yes' | 'no' {
  if (directives.has('private')) return 'no'
  // RFC 9111 section 3.5: only what says so may be given to others.
  return authorization === 'none' || FOR_OTHERS.some((name) => directives.has(name)) ? 'yes' : 'no'
}

const FOR_OTHERS = ['public', 's-maxage', 'must-revalidate']

/** RFC 9111 section 4.2.1: the first of these that there is. Null: it does not say. */
function ownLifetimeS(
  headers: readonly string[],
  directives: ReadonlyMap<string, string>,
  audience: Cache['audience'],
): number | null | 'unreadable' {
  const sMaxAge = audience === 'shared' ? directives.get('s-maxage') : undefined
  const maxAge = sMaxAge ?? directives.get('max-age')
  if (maxAge !== undefined) return /^\d{1,10}$/.test(maxAge) ? Number(maxAge) : 'unreadable'
  const expires = headerValue(headers, 'expires')
  if (expires === null) return null
  const atMs = Date.parse(expires)
  const madeMs = Date.parse(headerValue(headers, 'date') ?? '')
  // Section 5.3: what is no date is in the past.
  return Number.isNaN(atMs) || Number.isNaN(madeMs) ? 0 : Math.floor((atMs - madeMs) / 1000)
}

/** Section 4.2.3: the larger of what it says and of what its date says. */
function ageOf(headers: readonly string[], nowMs: number): number {
  const said = headerValue(headers, 'age')
  const madeMs = Date.parse(headerValue(headers, 'date') ?? '')
  const apparent = Number.isNaN(madeMs) ? 0 : Math.max(0, Math.floor((nowMs - madeMs) / 1000))
  if (said === null) return apparent
  return /^\d{1,10}$/.test(said) ? Math.max(apparent, Number(said)) : Number.POSITIVE_INFINITY
}

/** Names in lower case; of a name that stands twice the first value, as section 4.2.1 advises. */
export function directivesOf(headers: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const line of headerLines(headers, 'cache-control')) {
    for (const [, name = '', quoted, plain] of line.matchAll(DIRECTIVE)) {
      const lower = name.toLowerCase()
      if (!found.has(lower)) found.set(lower, quoted ?? plain ?? '')
    }
  }
  return found
}

const DIRECTIVE = /([^\s,=";]+)(?:\s*=\s*(?:"([^"]*)"|([^\s,]*)))?/g
