/**
 * The head of one request, read strictly: what it asks for, whether it has a body, and why it is
 * refused where two servers could read it as two different requests. Pure, so that it can be
 * fuzzed; http1.ts hands it what the parser found.
 * Pinned by request-head.test.ts: "every ambiguous head is refused".
 */
import { HEADER_BYTES_MAX, HEADERS_MAX, TARGET_BYTES_MAX } from '#wire/limits'
import { canonicalPath } from '#wire/path'
import { type Failure, fail } from '../request/failure.ts'
import { type LastHost, readHost, readHostAgain } from './host.ts'
import { NO_OFFER, type Offer, readOffer } from './upgrade.ts'

export interface RawHead {
  readonly method: string
  readonly target: string
  /** other: the parser takes versions that nobody sends, and would read them as one of these. */
  readonly protocol: '1.0' | '1.1' | 'other'
  /** Flat list as received. */
  readonly headers: readonly string[]
  readonly scheme: 'http' | 'https'
  readonly lastHost: LastHost
  /** Whether `Connection` names `upgrade` (RFC 9110 section 7.8). */
  readonly upgrade: 'none' | 'offered'
}

export interface RequestHead {
  readonly host: string
  /** Canonical; where the request is refused, what was asked for, cut to what a log may hold. */
  readonly path: string
  readonly query: string | null
  readonly bytesDeclared: number | null
  readonly bodyKind: 'none' | 'length' | 'chunked'
  readonly expects: 'nothing' | 'continue'
  /** Protocols to switch to, as upgrade.ts says; null: none. */
  readonly upgrade: string | null
  readonly refusal: Failure | null
}

/** Of a refused target, for the log. */
const SHOWN_MAX = 1024

/** Exact as a number. */
const LENGTH = /^\d{1,15}$/

/** What the one pass over the headers finds. */
interface Fields {
  hosts: number
  host: string
  lengths: number
  length: string
  codings: number
  coding: string
  expect: string | null
  upgrade: string | null
  bytes: number
}

export function readRequestHead(raw: RawHead): RequestHead {
  const fields = readFields(raw.headers)
  const target = readTarget(raw, fields)
  const bodyKind = bodyKindOf(fields)
  const offer = offerOf(raw, fields, bodyKind)
  const refusal = refusalOf(raw, fields, target) ?? unclear(offer)
  return {
    host: target.host,
    path: target.path,
    query: target.query,
    bytesDeclared: fields.lengths === 0 || fields.codings > 0 ? null : Number(fields.length),
    bodyKind,
    expects: raw.protocol === '1.1' && fields.expect !== null ? 'continue' : 'nothing',
    upgrade: offer.kind === 'offer' ? offer.protocols : null,
    refusal,
  }
}

function bodyKindOf({ codings, lengths, length }: Fields): RequestHead['bodyKind'] {
  if (codings > 0) return 'chunked'
  return lengths > 0 && length !== '0' ? 'length' : 'none'
}

function unclear({ kind }: Offer): Failure | null {
  return kind === 'malformed' ? UNCLEAR : null
}
const UNCLEAR = fail('upgrade-refused', 'Upgrade is not a list of protocols.')

/** RFC 9110 section 7.8: without its option in Connection, over 1.0, or before a body, it is void. */
function offerOf(raw: RawHead, { upgrade }: Fields, bodyKind: RequestHead['bodyKind']): Offer {
  const isVoid = raw.upgrade === 'none' || raw.protocol !== '1.1' || bodyKind !== 'none'
  return upgrade === null || isVoid ? NO_OFFER : readOffer(upgrade)
}

/** Names are told apart by their length first: most lines cost one comparison. */
function readFields(headers: readonly string[]): Fields {
  const fields: Fields = {
    hosts: 0,
    host: '',
    lengths: 0,
    length: '',
    codings: 0,
    coding: '',
    expect: null,
    upgrade: null,
    bytes: 0,
  }
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? ''
    const value = headers[i + 1] ?? ''
    fields.bytes += name.length + value.length + 4
    if (INTERESTING[name.length] === 1) note(fields, name.toLowerCase(), value)
  }
  return fields
}

const NAMES = ['host', 'content-length', 'transfer-encoding', 'expect', 'upgrade'] as const
const INTERESTING = new Uint8Array(32)
for (const name of NAMES) INTERESTING[name.length] = 1

function note(fields: Fields, name: string, value: string): void {
  switch (name) {
    case 'host':
      fields.hosts++
      fields.host = value
      break
    case 'content-length':
      fields.lengths++
      fields.length = value
      break
    case 'transfer-encoding':
      fields.codings++
      fields.coding = value
      break
    case 'expect':
      fields.expect = fields.expect === null ? value : `${fields.expect},${value}`
      break
    case 'upgrade':
      fields.upgrade = fields.upgrade === null ? value : `${fields.upgrade},${value}`
      break
  }
}

// ---- what it asks for -------------------------------------------------------------------------

interface Target {
  readonly host: string
  readonly path: string
  readonly query: string | null
  readonly refusal: Failure | null
}

function readTarget(raw: RawHead, { host: value, hosts }: Fields): Target {
  const read = readHostAgain(value, raw.lastHost)
  const host = read.kind === 'host' ? read.host : ''
  const refuse = (refusal: Failure): Target => ({
    host,
    path: raw.target.slice(0, SHOWN_MAX),
    query: null,
    refusal,
  })
  if (raw.target.length > TARGET_BYTES_MAX) {
    return refuse(fail('target-too-long', `The target is longer than ${TARGET_BYTES_MAX} bytes.`))
  }
  if (hosts !== 1) return refuse(bad('A request must have exactly one Host header.'))
  if (read.kind === 'refused') return refuse(bad(read.because))
  if (raw.method === 'CONNECT') return refuse(bad('This gateway opens no tunnels.'))
  if (raw.target === '*') {
    return refuse(fail('no-route', 'The server as a whole has no resource; name a path.'))
  }
  const origin = raw.target.startsWith('/') ? raw.target : originForm(raw, host)
  return origin === null
    ? refuse(bad('The target must be a path, or a URL of the host that Host names.'))
    : readPath(origin, host, refuse)
}

function readPath(origin: string, host: string, refuse: (refusal: Failure) => Target): Target {
  const mark = origin.indexOf('?')
  const query = mark < 0 ? null : origin.slice(mark + 1)
  if (query?.includes('#')) return refuse(fail('bad-path', 'The target holds a fragment.'))
  const path = canonicalPath(mark < 0 ? origin : origin.slice(0, mark))
  if (path.kind === 'refused') return refuse(fail('bad-path', path.because))
  return { host, path: path.path, query, refusal: null }
}

const ABSOLUTE = /^(https?):\/\/([^/?#]*)(.*)$/is

/** RFC 9112 section 3.2.2; but a URL of another host than Host says is two requests in one. */
function originForm(raw: RawHead, host: string): string | null {
  const [, scheme, authority, rest] = ABSOLUTE.exec(raw.target) ?? []
  if (scheme === undefined || authority === undefined || rest === undefined) return null
  if (scheme.toLowerCase() !== raw.scheme) return null
  const named = readHost(authority)
  if (named.kind === 'refused' || named.host !== host) return null
  return rest.startsWith('/') ? rest : `/${rest}`
}

// ---- why it is refused ------------------------------------------------------------------------

function bad(detail: string): Failure {
  return fail('bad-request', detail)
}

function refusalOf(raw: RawHead, fields: Fields, target: Target): Failure | null {
  if (raw.headers.length > 2 * HEADERS_MAX) {
    return fail('headers-too-large', `There are more than ${HEADERS_MAX} headers.`)
  }
  if (fields.bytes > HEADER_BYTES_MAX) {
    return fail('headers-too-large', `The headers are longer than ${HEADER_BYTES_MAX} bytes.`)
  }
  return framingOf(raw, fields) ?? target.refusal ?? wishesOf(raw, fields)
}

/** RFC 9112 section 6.3, and where it leaves a choice, none. */
function framingOf({ protocol }: RawHead, fields: Fields): Failure | null {
  const { lengths, length, codings, coding } = fields
  if (protocol === 'other') return bad('The versions of HTTP spoken here are 1.0 and 1.1.')
  if (lengths + codings > 1) return bad('The length of the body is stated more than once.')
  if (lengths === 1 && !LENGTH.test(length)) return bad('Content-Length is not a number.')
  if (codings === 0) return null
  if (protocol === '1.0') return bad('HTTP/1.0 has no Transfer-Encoding.')
  return coding.toLowerCase() === 'chunked'
    ? null
    : bad('The only Transfer-Encoding that a request may have is chunked.')
}

function wishesOf({ protocol }: RawHead, { expect }: Fields): Failure | null {
  if (expect === null || protocol === '1.0' || expect.toLowerCase() === '100-continue') return null
  return fail('expectation-failed', 'The only expectation that can be met is 100-continue.')
}
