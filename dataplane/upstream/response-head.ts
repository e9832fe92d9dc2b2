/**
 * What an upstream's header list becomes before anybody else sees it: hop-by-hop fields are gone,
 * and what two readers could take for two different messages is refused. Works on the raw list, so
 * that order, case and duplicates survive.
 * Pinned by response-head.test.ts: "agrees with its plain twin on any list".
 */
import type { UpstreamRequest } from './upstream.ts'

export type ResponseHead =
  | {
      readonly kind: 'head'
      /** Flat list. */
      readonly headers: readonly string[]
      readonly bytesDeclared: number | null
    }
  /** A sentence for the log; holds nothing of the answer. */
  | { readonly kind: 'invalid'; readonly because: string }

/** RFC 9110 section 7.6.1, and two that old servers still send. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'te',
])
/** An error without it is the backend's (docs/errors.md): no backend may speak for the gateway. */
const OURS = 'x-fairlead-cause'

/** Only names of these lengths need a second look. */
const SPECIAL_LENGTHS = new Uint8Array(64)
for (const name of [...HOP_BY_HOP, OURS, 'content-length']) SPECIAL_LENGTHS[name.length] = 1

/** Digits only, and within what a number holds exactly. */
const LENGTH = /^\d{1,15}$/

interface Reading {
  readonly headers: string[]
  length: string | null
  coding: 'none' | 'chunked'
  /** Fields named by Connection, lower case; null: none but the usual. */
  listed: string[] | null
}

/** `raw`: flat list as received, without any processing. */
export function readHead(
  method: UpstreamRequest['method'],
  status: number,
  raw: readonly string[],
): ResponseHead {
  if (status < 200 || status > 599) return invalid('a status outside 200 to 599')
  const reading: Reading = { headers: [], length: null, coding: 'none', listed: null }
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const wrong = readField(raw[i] ?? '', raw[i + 1] ?? '', reading)
    if (wrong !== null) return invalid(wrong)
  }
  if (reading.listed !== null) removeListed(reading.headers, reading.listed)
  return withLength(method, status, reading)
}

/** A reason where the field must not be there or say that. */
function readField(name: string, value: string, into: Reading): string | null {
  if (SPECIAL_LENGTHS[name.length] !== 1) {
    into.headers.push(name, value)
    return null
  }
  const kind = kindOf(name)
  if (kind !== 'other') return note(kind, value, into)
  into.headers.push(name, value)
  return null
}

function invalid(because: string): ResponseHead {
  return { kind: 'invalid', because }
}

type HeaderKind = 'other' | 'length' | 'coding' | 'connection' | 'dropped'

function kindOf(name: string): HeaderKind {
  const lower = name.toLowerCase()
  if (lower === 'content-length') return 'length'
  if (lower === 'transfer-encoding') return 'coding'
  if (lower === 'connection') return 'connection'
  return HOP_BY_HOP.has(lower) || lower === OURS ? 'dropped' : 'other'
}

/** Remembers what the field says; a reason where it must not say that. */
function note(kind: Exclude<HeaderKind, 'other'>, value: string, into: Reading): string | null {
  if (kind === 'dropped') return null
  if (kind === 'connection') {
    // As almost everybody says it; neither names another field.
    if (value === 'keep-alive' || value === 'close') return null
    for (const token of value.toLowerCase().split(',')) noteListed(token.trim(), into)
    return null
  }
  if (kind === 'coding') return noteCoding(value, into)
  if (into.length !== null) return 'more than one content-length'
  if (!LENGTH.test(value)) return 'a content-length that is not a number'
  into.length = value
  return null
}

/** The library undoes `chunked` alone: what another coding has made would pass for the content. */
function noteCoding(value: string, into: Reading): string | null {
  if (into.coding === 'chunked') return 'more than one transfer coding'
  if (value.toLowerCase() !== 'chunked') return 'a transfer coding that is not chunked'
  into.coding = 'chunked'
  return null
}

function noteListed(token: string, into: Reading): void {
  if (token === '' || token === 'close' || HOP_BY_HOP.has(token)) return
  into.listed ??= []
  into.listed.push(token)
}

/** What `Connection` lists is for us alone; but it never removes what frames the message. */
function removeListed(headers: string[], listed: readonly string[]): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    const name = headers[i]
    if (name !== undefined && listed.includes(name.toLowerCase())) headers.splice(i, 2)
  }
}

function withLength(method: string, status: number, { headers, length }: Reading): ResponseHead {
  // RFC 9110 section 8.6: none on 204; on 205, 304 and HEAD nothing follows.
  if (length === null || status === 204) return { kind: 'head', headers, bytesDeclared: null }
  headers.push('content-length', status === 205 ? '0' : length)
  if (status === 205) return { kind: 'head', headers, bytesDeclared: 0 }
  const empty = method === 'HEAD' || status === 304
  return { kind: 'head', headers, bytesDeclared: empty ? 0 : Number(length) }
}

/** Framing, routing and trust must stand in the head: a trailer is read too late to change them. */
const NEVER_TRAILERS: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  OURS,
  'content-length',
  'content-encoding',
  'content-type',
  'content-range',
  'host',
  'trailer',
  'authorization',
  'set-cookie',
  'cache-control',
  'location',
  'age',
  'date',
  'expires',
  'vary',
  'www-authenticate',
])

/** Flat list of what may follow a body, or null where nothing is left. */
export function readTrailers(raw: readonly string[]): readonly string[] | null {
  const trailers: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    if (!NEVER_TRAILERS.has(name.toLowerCase())) trailers.push(name, raw[i + 1] ?? '')
  }
  return trailers.length === 0 ? null : trailers
}
