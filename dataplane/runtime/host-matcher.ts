/**
 * The entries of one host, ready to be asked which of them takes a request. Their order is final:
 * the first whose path, method, headers, query and `when` all hold.
 * Pinned by matcher.test.ts: "the matcher and its plain twin agree on random tables and requests".
 */
import { decodedSegment } from '#wire/path'
import { type Exchange, bareRecord } from '../request/exchange.ts'
import { type Failure, fail } from '../request/failure.ts'
import { queryPairs } from '../request/query.ts'
import type { Scope } from './expression-types.ts'
import { PathTrie } from './path-trie.ts'
import {
  type MatcherEntry,
  type PreparedMatch,
  type PreparedPath,
  headersHold,
  queryHolds,
} from './prepared-match.ts'

export type HostAnswer = { readonly kind: 'matched' } | { readonly kind: 'none' } | Failure
const MATCHED: HostAnswer = { kind: 'matched' }
const NONE: HostAnswer = { kind: 'none' }

export interface HostMatcher {
  readonly namespace: string
  /** Sets rule, params and rest of the exchange where an entry takes it. */
  match(exchange: Exchange): HostAnswer
  /** Methods of the entries that would take it, were it not for its method. */
  methods(exchange: Exchange): readonly string[]
}

/** Stands for a host that cannot be prepared: closed, and visibly so. */
export class RejectedHost implements HostMatcher {
  readonly namespace: string
  constructor(namespace: string) {
    this.namespace = namespace
  }
  match(): HostAnswer {
    return fail('rule-rejected', 'The routes of this host cannot be executed here.')
  }
  methods(): readonly string[] {
    return []
  }
}

export class EntriesOfHost implements HostMatcher {
  readonly namespace: string
  readonly #entries: readonly MatcherEntry[]
  readonly #trie = new PathTrie()

  constructor(namespace: string, entries: readonly MatcherEntry[]) {
    this.namespace = namespace
    this.#entries = entries
    for (const [position, entry] of entries.entries()) this.#trie.add(entry.match.path, position)
  }

  match(exchange: Exchange): HostAnswer {
    let pairs: readonly string[] | null = null
    this.#trie.find(exchange.path)
    for (let at = this.#trie.next(); at !== -1; at = this.#trie.next()) {
      const entry = this.#entries[at]
      if (entry === undefined) break
      const { match } = entry
      if (match.method !== null && match.method !== exchange.method) continue
      if (match.queryParams !== null) pairs ??= queryPairs(exchange.query)
      if (!predicatesHold(match, exchange, pairs)) continue
      const taken = take(entry, exchange)
      if (taken !== NONE) return taken
    }
    return NONE
  }

  methods(exchange: Exchange): readonly string[] {
    const methods = new Set<string>()
    const pairs = queryPairs(exchange.query)
    this.#trie.find(exchange.path)
    for (let at = this.#trie.next(); at !== -1; at = this.#trie.next()) {
      const entry = this.#entries[at]
      const method = entry?.match.method ?? null
      if (entry === undefined || method === null || methods.has(method)) continue
      if (!predicatesHold(entry.match, exchange, pairs)) continue
      if (take(entry, exchange) === MATCHED) methods.add(method)
      release(exchange)
    }
    return [...methods]
  }
}

const NO_PAIRS: readonly string[] = []

function predicatesHold(
  match: PreparedMatch,
  exchange: Exchange,
  pairs: readonly string[] | null,
): boolean {
  return headersHold(match.headers, exchange) && queryHolds(match.queryParams, pairs ?? NO_PAIRS)
}

/** The path's captures, then `when`, which may read them. A failing one never falls through. */
function take(entry: MatcherEntry, exchange: Exchange): HostAnswer {
  const { rule, match } = entry
  if (!capture(match.path, exchange)) return NONE
  exchange.rule = rule
  if (match.when === null) return MATCHED
  const scope: Scope = { exchange, caller: null, calls: null, locals: null }
  const verdict = match.when.test(scope)
  if (verdict === 'true') return MATCHED
  if (verdict === 'failed') {
    return fail('expression-failed', 'A condition of the matching route cannot be evaluated.')
  }
  release(exchange)
  return NONE
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze(bareRecord())

function release(exchange: Exchange): void {
  exchange.rule = null
  exchange.params = NO_PARAMS
  exchange.rest = null
}

/** False where a pattern does not fit; segments were already found to. */
function capture(path: PreparedPath, exchange: Exchange): boolean {
  switch (path.kind) {
    case 'any':
      exchange.rest = exchange.path.slice(1)
      return true
    case 'segments':
      if (path.end === 'below' || path.captures === 'params') captureSegments(path, exchange)
      return true
    case 'regex': {
      const groups = path.pattern.groups(exchange.path)
      if (groups === null) return false
      exchange.params = decodedGroups(groups)
      return true
    }
    default:
      return path satisfies never
  }
}

function captureSegments(
  path: Extract<PreparedPath, { kind: 'segments' }>,
  exchange: Exchange,
): void {
  const text = exchange.path
  let at = 1
  let params: Record<string, string> | null = null
  for (const segment of path.segments) {
    const slash = text.indexOf('/', at)
    const end = slash === -1 ? text.length : slash
    if ('param' in segment) {
      params ??= bareRecord()
      params[segment.param] = decodedSegment(text.slice(at, end))
    }
    at = end + 1
  }
  if (params !== null) exchange.params = params
  if (path.end === 'below') exchange.rest = at > text.length ? null : text.slice(at)
}

/** A group may begin or end inside an escape; then its text stays as it is. */
function decodedGroups(groups: Readonly<Record<string, string>>): Record<string, string> {
  const params = bareRecord()
  for (const name of Object.keys(groups)) {
    const text = groups[name] ?? ''
    params[name] = decodable(text) ? decodedSegment(text) : text
  }
  return params
}

function decodable(text: string): boolean {
  if (!text.includes('%')) return true
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
