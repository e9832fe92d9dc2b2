/**
 * What stands in a table for a host that does not fit: one rule that takes every request and answers
 * 503. Nothing of the host falls through, to a wider host or to a rule that would have come later.
 * Pinned by capacity.test.ts: "a host that is too long is closed and every other host goes on".
 */
import { TOTAL_TIMEOUT_MS } from '#wire/limits'
import type { Rule } from '#wire/table'
import type { Reject } from '#wire/value'
import type { Sealed, Sealer } from './seal.ts'

/** What a client of such a host reads. */
const TOO_LARGE: Reject = {
  kind: 'reject',
  status: 503,
  cause: 'too-large',
  because:
    'More is configured for this host than can be served; the statuses of its routes say why.',
}

/** No namespace is called so: it can be no route's. */
const ROUTE = '*/*'
const NAME = 'too-large'
const KEY = `${ROUTE}/${NAME}`

/** What takes every request, whoever sends it, and changes nothing. */
export const TAKES_ALL: Omit<Rule, 'route' | 'name' | 'action'> = {
  matches: [{ method: null, path: { kind: 'any' }, headers: [], queryParams: [], when: null }],
  auth: { kind: 'open' },
  limits: [],
  rewrite: null,
  requestHeaders: null,
  responseHeaders: null,
  totalTimeoutMs: TOTAL_TIMEOUT_MS,
}

/** One for all closed hosts of a table. */
export function closedRule(sealer: Sealer): Sealed {
  const value = { route: ROUTE, name: NAME, ...TAKES_ALL, action: TOO_LARGE }
  return sealer.seal({ kind: 'rule', key: KEY, sources: [], value })
}

export function closedHost(host: string, namespace: string, sealer: Sealer): Sealed {
  const value = { namespace, entries: [{ rule: KEY, match: 0 }] }
  return sealer.seal({ kind: 'host', key: host, sources: [], value })
}

/** TLS of a host whose certificates have no room: refused there, and not left to a wildcard's. */
export function closedTls(host: string, sealer: Sealer): Sealed {
  const value = { certificates: [], http: 'serve' } as const
  return sealer.seal({ kind: 'tls', key: host, sources: [], value })
}

/** All that stands for such a host where there is room for nothing else. */
export function closedFormOf(
  host: string,
  { namespace, tls }: { readonly namespace: string; readonly tls: readonly Sealed[] },
  sealer: Sealer,
): readonly Sealed[] {
  const form = closedHost(host, namespace, sealer)
  return tls.length === 0 ? [form] : [form, closedTls(host, sealer)]
}
