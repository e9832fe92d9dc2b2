/**
 * Where credentials may stand in a request, and what stands there. Before any of them is judged it
 * must be plain which ones were presented: a place that holds two values is refused, because the
 * backend might believe the other one.
 * Pinned by credential.test.ts: "a place that is there twice is never read".
 */
import type { Carrier } from '#wire/auth'
import type { Exchange } from '../../request/exchange.ts'
import { isSameName } from '../../request/headers.ts'
import { queryPairs } from '../../request/query.ts'

/** A carrier without its scheme: several entries may read one place. */
export interface Place {
  readonly kind: Carrier['kind']
  /** Header names in lower case; cookie and query names as written. */
  readonly name: string
}

export type Reading =
  | { readonly kind: 'absent' }
  | { readonly kind: 'presented'; readonly text: string }
  | { readonly kind: 'repeated' }

const ABSENT: Reading = { kind: 'absent' }
const REPEATED: Reading = { kind: 'repeated' }

export function readPlace(exchange: Exchange, place: Place): Reading {
  switch (place.kind) {
    case 'header':
      return readHeader(exchange.headers, place.name)
    case 'cookie':
      return readCookie(exchange.headers, place.name)
    case 'queryParam':
      return readQuery(exchange.query, place.name)
    default:
      return place.kind satisfies never
  }
}

/** For a sentence: "The token in … has expired." */
export function placeText(place: Place): string {
  switch (place.kind) {
    case 'header':
      return `the header ${place.name}`
    case 'cookie':
      return `the cookie ${place.name}`
    case 'queryParam':
      return `the query parameter ${place.name}`
    default:
      return place.kind satisfies never
  }
}

/**
 * What follows the scheme (RFC 9110, 11.4: compared without case, then spaces); null where the
 * text has another scheme. `scheme` in lower case.
 */
export function afterScheme(text: string, scheme: string): string | null {
  if (text.length < scheme.length) return null
  if (!isSameName(text.slice(0, scheme.length), scheme)) return null
  const rest = text.slice(scheme.length)
  if (rest !== '' && !rest.startsWith(' ')) return null
  return rest.trimStart()
}

function readHeader(headers: readonly string[], name: string): Reading {
  let found: string | null = null
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (!isSameName(headers[i] ?? '', name)) continue
    if (found !== null) return REPEATED
    found = headers[i + 1] ?? ''
  }
  return presented(found)
}

/** Cookies may come in several lines (RFC 9113, 8.2.3), but each name in one place only. */
function readCookie(headers: readonly string[], name: string): Reading {
  let found: string | null = null
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (!isSameName(headers[i] ?? '', 'cookie')) continue
    for (const pair of (headers[i + 1] ?? '').split(';')) {
      const value = cookieValue(pair, name)
      if (value === null) continue
      if (found !== null) return REPEATED
      found = value
    }
  }
  return presented(found)
}

function cookieValue(pair: string, name: string): string | null {
  const equals = pair.indexOf('=')
  if (equals === -1 || pair.slice(0, equals).trim() !== name) return null
  return pair.slice(equals + 1)
}

function readQuery(query: string | null, name: string): Reading {
  if (query === null) return ABSENT
  const pairs = queryPairs(query)
  let found: string | null = null
  for (let i = 0; i < pairs.length; i += 2) {
    if (pairs[i] !== name) continue
    if (found !== null) return REPEATED
    found = pairs[i + 1] ?? ''
  }
  return presented(found)
}

function presented(value: string | null): Reading {
  const text = value?.trim() ?? ''
  return text === '' ? ABSENT : { kind: 'presented', text }
}
