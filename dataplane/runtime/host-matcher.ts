/**
 * The entries of one host, ready to be asked which of them takes a request. Their order is final:
 * the first whose path, method, headers, query and `when` all hold.
 * Pinned by matcher.test.ts: "the matcher and its plain twin agree on random tables and requests".
 */
import { decodedSegment, hasUtf8Escapes } from '#wire/path'
import { type Exchange, bareRecord } from '../request/exchange.ts'
import { type Failure, fail } from '../request/failure.ts'
import { queryPairs } from '../request/query.ts'
import type { Prepared, Scope } from './expression-types.ts'
import { type Linked, PathTrie, Reached } from './path-trie.ts'
import type { Pattern } from './pattern.ts'
import {
  headersHold,
  type MatcherEntry,
  type PreparedPath,
  type PreparedPredicate,
  queryHolds,
} from './prepared-match.ts'
import type { PreparedRule } from './runtime.ts'

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

/** One entry, flat: what a look-up needs of it lies in one place. */
export interface HostEntry extends Linked<HostEntry> {
  readonly rule: PreparedRule
  readonly method: string | null
  readonly headers: readonly PreparedPredicate[] | null
  readonly queryParams: readonly PreparedPredicate[] | null
  readonly when: Prepared | null
  /** Null: the tree has decided. */
  readonly pattern: Pattern | null
  /** Where the rest begins, after a slash; -1: it follows captures; null: there is none. */
  readonly restAt: number | null
  /** For each segment the name that captures it, or null; null: no segment is captured. */
  readonly captures: readonly (string | null)[] | null
}

export class EntriesOfHost implements HostMatcher {
  readonly namespace: string
  readonly #trie = new PathTrie<HostEntry>()
  readonly #reached: Reached<HostEntry>

  /** `reached`: shared by the hosts of a table. */
  constructor(
    namespace: string,
    entries: readonly MatcherEntry[],
    reached = new Reached<HostEntry>(),
  ) {
    this.namespace = namespace
    this.#reached = reached
    for (let position = entries.length - 1; position >= 0; position--) {
      const entry = entries[position]
      if (entry !== undefined) this.#trie.add(entry.match.path, flat(entry, position))
    }
  }

  match(exchange: Exchange): HostAnswer {
    let pairs: readonly string[] | null = null
    const reached = this.#reached
    this.#trie.find(exchange.path, reached)
    for (let entry = reached.next(); entry !== null; entry = reached.next()) {
      if (entry.method !== null && entry.method !== exchange.method) continue
      if (entry.queryParams !== null) pairs ??= queryPairs(exchange.query)
      if (!predicatesHold(entry, exchange, pairs)) continue
      const taken = take(entry, exchange)
      if (taken !== NONE) return taken
    }
    return NONE
  }

  methods(exchange: Exchange): readonly string[] {
    const methods = new Set<string>()
    const pairs = queryPairs(exchange.query)
    const reached = this.#reached
    this.#trie.find(exchange.path, reached)
    for (let entry = reached.next(); entry !== null; entry = reached.next()) {
      if (entry.method === null || methods.has(entry.method)) continue
      if (!predicatesHold(entry, exchange, pairs)) continue
      if (take(entry, exchange) === MATCHED) methods.add(entry.method)
      release(exchange)
    }
    return [...methods]
  }
}

function flat({ rule, match }: MatcherEntry, position: number): HostEntry {
  const { path } = match
  return {
    position,
    next: null,
    rule,
    method: match.method,
    headers: match.headers,
    queryParams: match.queryParams,
    when: match.when,
    pattern: path.kind === 'regex' ? path.pattern : null,
    restAt: restAtOf(path),
    captures:
      path.kind === 'segments' && path.captures === 'params'
        ? path.segments.map((segment) => ('param' in segment ? segment.param : null))
        : null,
  }
}

function restAtOf(path: PreparedPath): number | null {
  if (path.kind === 'any') return 1
  if (path.kind === 'regex' || path.end === 'exact') return null
  if (path.captures === 'params') return -1
  const lengths = path.segments.map((segment) =>
    'literal' in segment ? segment.literal.length : 0,
  )
  return lengths.reduce((sum, length) => sum + length + 1, 1)
}

const NO_PAIRS: readonly string[] = []

function predicatesHold(
  entry: HostEntry,
  exchange: Exchange,
  pairs: readonly string[] | null,
): boolean {
  return headersHold(entry.headers, exchange) && queryHolds(entry.queryParams, pairs ?? NO_PAIRS)
}

/** The path's captures, then `when`, which may read them. A failing one never falls through. */
function take(entry: HostEntry, exchange: Exchange): HostAnswer {
  if (entry.pattern !== null) {
    const groups = entry.pattern.groups(exchange.path)
    if (groups === null) return NONE
    exchange.params = decodedGroups(groups)
  } else if (entry.captures !== null) {
    capture(entry.captures, entry.restAt, exchange)
  } else if (entry.restAt !== null) {
    exchange.rest = restFrom(exchange.path, entry.restAt)
  }
  exchange.rule = entry.rule
  return entry.when === null ? MATCHED : decided(entry.when, exchange)
}

function decided(when: Prepared, exchange: Exchange): HostAnswer {
  const scope: Scope = { exchange, caller: null, calls: null, locals: null }
  const verdict = when.test(scope)
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

function capture(
  names: readonly (string | null)[],
  restAt: number | null,
  exchange: Exchange,
): void {
  const { path } = exchange
  const params = bareRecord()
  let at = 1
  for (const name of names) {
    const slash = path.indexOf('/', at)
    const end = slash === -1 ? path.length : slash
    if (name !== null) params[name] = decodedSegment(path.slice(at, end))
    at = end + 1
  }
  exchange.params = params
  if (restAt !== null) exchange.rest = restFrom(path, at)
}

/** Null where the path ends before the slash that would stand before `at`. */
function restFrom(path: string, at: number): string | null {
  return at > path.length ? null : path.slice(at)
}

/** A group may begin or end inside an escape; then its text stays as it is. */
function decodedGroups(groups: Readonly<Record<string, string>>): Record<string, string> {
  const params = bareRecord()
  for (const name of Object.keys(groups)) {
    const text = groups[name] ?? ''
    params[name] = hasUtf8Escapes(text) ? decodedSegment(text) : text
  }
  return params
}
