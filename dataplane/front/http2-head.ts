/**
 * The head of one request over HTTP/2: pseudo-header fields become what a request line and a Host
 * header say, cookies become one line, and the same strict reading as of HTTP/1 follows. Pure.
 * What node:http2 refuses never comes here; what it drops is listed in docs/protocols.md.
 * Pinned by http2-head.test.ts: "what two hops could read differently is refused".
 */
import { HEADER_BYTES_MAX, HEADERS_MAX } from '#wire/limits'
import { type Failure, fail } from '../request/failure.ts'
import type { LastHost } from './host.ts'
import { readRequestHead, type RequestHead } from './request-head.ts'

export interface Http2Head extends Omit<RequestHead, 'bodyKind'> {
  readonly method: string
  /** Flat list as HTTP/1 would have it: without pseudo-header fields, with Host, one Cookie. */
  readonly headers: readonly string[]
}

export interface RawHttp2Head {
  /** Flat list as received. */
  readonly fields: readonly string[]
  readonly scheme: 'http' | 'https'
  readonly lastHost: LastHost
  /** Whether the stream has ended with its head. */
  readonly end: 'open' | 'here'
}

interface Fields {
  method: string
  path: string | null
  scheme: string
  /** RFC 8441 section 4. */
  protocol: string | null
  authority: string | null
  host: string | null
  /** A field that belongs to connections of HTTP/1 (RFC 9113 section 8.2.2). */
  stray: string | null
  /** Host lines, which nobody needs besides :authority. */
  hosts: number
  /** Where the first cookie stands in `headers`; -1: there is none. */
  cookieAt: number
  bytes: number
  readonly headers: string[]
}

export function readHttp2Head(raw: RawHttp2Head): Http2Head {
  const fields = readFields(raw.fields)
  const { headers } = fields
  const switches = switchOf(fields)
  // RFC 8441 section 5: what GET is over HTTP/1.1, so that the same rules take it.
  const method = switches === 'none' ? fields.method : 'GET'
  const host = hostOf(fields)
  const read = readRequestHead({
    method,
    // A CONNECT has no path; it is refused for what it is.
    target: fields.path ?? host,
    protocol: '1.1',
    headers: ['host', host, ...headers],
    scheme: raw.scheme,
    lastHost: raw.lastHost,
    upgrade: 'none',
  })
  const { bodyKind: _, refusal, ...rest } = read
  return {
    ...rest,
    method,
    headers: host === '' ? headers : ['host', host, ...headers],
    upgrade: switches === 'none' ? null : 'websocket',
    refusal: whyNot(fields) ?? refusal ?? whyNoSwitch(switches, read, raw),
  }
}

function hostOf({ authority, host }: Fields): string {
  return authority ?? host ?? ''
}

/** RFC 8441 section 4: a CONNECT with a protocol is no CONNECT. */
function switchOf({ method, protocol }: Fields): 'none' | 'websocket' | 'unknown' {
  if (method !== 'CONNECT' || protocol === null) return 'none'
  return protocol.toLowerCase() === 'websocket' ? 'websocket' : 'unknown'
}

/** node:http2 resets such streams before we see them; nothing may hang on that alone. */
const STRAY: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

function readFields(raw: readonly string[]): Fields {
  const fields: Fields = {
    method: '',
    path: null,
    scheme: '',
    protocol: null,
    authority: null,
    host: null,
    stray: null,
    hosts: 0,
    cookieAt: -1,
    bytes: 0,
    headers: [],
  }
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const value = raw[i + 1] ?? ''
    fields.bytes += name.length + value.length + 4
    if (name.charCodeAt(0) === 0x3a) notePseudo(fields, name, value)
    else noteField(fields, name, value)
  }
  return fields
}

function notePseudo(fields: Fields, name: string, value: string): void {
  switch (name) {
    case ':method':
      fields.method = value
      break
    case ':path':
      fields.path = value
      break
    case ':scheme':
      fields.scheme = value
      break
    case ':protocol':
      fields.protocol = value
      break
    case ':authority':
      fields.authority = value
      break
  }
}

function noteField(fields: Fields, name: string, value: string): void {
  const { headers, cookieAt } = fields
  if (STRAY.has(name)) fields.stray = name
  if (name === 'host') {
    fields.hosts++
    fields.host = value
  } else if (name === 'cookie' && cookieAt >= 0) {
    // RFC 9113 section 8.2.3: crumbs are joined before anybody reads them as HTTP/1 does.
    headers[cookieAt + 1] = `${headers[cookieAt + 1]}; ${value}`
  } else {
    if (name === 'cookie') fields.cookieAt = headers.length
    headers.push(name, value)
  }
}

function whyNot(fields: Fields): Failure | null {
  return sizeOf(fields) ?? contradictionOf(fields)
}

/** Crumbs count one by one: each costs memory of its own. */
function sizeOf({ bytes, headers }: Fields): Failure | null {
  if (headers.length > 2 * HEADERS_MAX) {
    return fail('headers-too-large', `There are more than ${HEADERS_MAX} headers.`)
  }
  return bytes > HEADER_BYTES_MAX
    ? fail('headers-too-large', `The headers are longer than ${HEADER_BYTES_MAX} bytes.`)
    : null
}

function contradictionOf(fields: Fields): Failure | null {
  const { authority, host, hosts, stray } = fields
  if (stray !== null) return fail('bad-request', `HTTP/2 has no ${stray}.`)
  // RFC 9113 section 8.3.1: a Host that differs makes two requests of one.
  if (hosts > 1 || (authority !== null && host !== null && authority !== host)) {
    return fail('bad-request', 'Host and :authority name different hosts.')
  }
  const { method, protocol } = fields
  if (protocol !== null && method !== 'CONNECT') {
    return fail('bad-request', 'Only CONNECT has a :protocol.')
  }
  return method === 'CONNECT' && protocol === null ? null : strangeness(fields)
}

/** RFC 9220 section 3 has the status for protocols that are not known. */
function whyNoSwitch(
  switches: ReturnType<typeof switchOf>,
  { bytesDeclared }: RequestHead,
  { end }: RawHttp2Head,
): Failure | null {
  if (switches === 'none') return null
  if (switches === 'unknown') {
    return fail('not-implemented', 'The one protocol that a stream can switch to is websocket.')
  }
  if (end === 'here') return fail('bad-request', 'A stream that has ended cannot be a WebSocket.')
  return bytesDeclared === null ? null : fail('bad-request', 'CONNECT has no content.')
}

function strangeness({ scheme, path }: Fields): Failure | null {
  if (scheme !== 'http' && scheme !== 'https') {
    return fail('bad-request', 'The schemes served here are http and https.')
  }
  if (path?.startsWith('/') === true || path === '*') return null
  return fail('bad-request', 'The path must begin with a slash.')
}
