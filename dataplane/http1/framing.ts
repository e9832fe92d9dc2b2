/**
 * How long a message's body is (RFC 9112 section 6.3), and whether its connection stays (section
 * 9.3). Where the RFC lets a recipient choose between two readings, neither is taken: the other side
 * may have chosen differently.
 * Pinned by parse.test.ts: "every failure has bytes that cause it".
 */
import type { ParseFailure } from './failure.ts'
import { LENGTH_DIGITS_MAX } from './limits.ts'
import type { Head } from './message.ts'

/** What the fields of one message say of it. */
export interface FramingFields {
  lengths: number
  length: string
  codings: number
  coding: string
  /** All `Connection` lines, joined. Null: none. */
  connection: string | null
}

export interface Framing {
  readonly body: Head['body']
  readonly bytesDeclared: number | null
}

const NONE: Framing = { body: 'none', bytesDeclared: null }
const EMPTY: Framing = { body: 'none', bytesDeclared: 0 }
const CHUNKED: Framing = { body: 'chunked', bytesDeclared: null }
const UNTIL_CLOSE: Framing = { body: 'close', bytesDeclared: null }

export function framingOf(
  fields: FramingFields,
  version: Head['version'],
  role: 'request' | 'response',
  content: 'some' | 'none',
): Framing | ParseFailure {
  const failure = ambiguityOf(fields, version)
  if (failure !== null) return failure
  const bytesDeclared = fields.lengths === 1 ? Number(fields.length) : null
  // Section 6.3, 1: what stands in these heads says what would have come.
  if (content === 'none') return bytesDeclared === null ? NONE : { body: 'none', bytesDeclared }
  if (fields.codings === 1) return CHUNKED
  if (bytesDeclared === 0) return EMPTY
  if (bytesDeclared !== null) return { body: 'length', bytesDeclared }
  // Section 6.3, 7 and 8.
  return role === 'request' ? NONE : UNTIL_CLOSE
}

function ambiguityOf(fields: FramingFields, version: Head['version']): ParseFailure | null {
  const { lengths, length, codings, coding } = fields
  // RFC 9112 section 6.3, 3: both may be an attempt at smuggling; 5: so may be two lengths.
  if (lengths + codings > 1) return 'framed-twice'
  if (lengths === 1 && !isLength(length)) return 'bad-length'
  if (codings === 0) return null
  // Section 6.1: in HTTP/1.0 "the framing is faulty".
  if (version === '1.0') return 'coding-in-1.0'
  return isChunked(coding) ? null : 'unknown-coding'
}

function isLength(text: string): boolean {
  if (text.length === 0 || text.length > LENGTH_DIGITS_MAX) return false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 48 || code > 57) return false
  }
  return true
}

/** RFC 9112 section 7: names of codings are compared without case. */
function isChunked(coding: string): boolean {
  return coding === 'chunked' || coding.toLowerCase() === 'chunked'
}

/** RFC 9110 section 6.4.1: no content whatever the fields say. */
export function contentOf(status: number, method: string): 'some' | 'none' {
  return method === 'HEAD' || status < 200 || status === 204 || status === 304 ? 'none' : 'some'
}

export interface Options {
  readonly persistence: Head['persistence']
  readonly upgrade: Head['upgrade']
}

const STAYS: Options = { persistence: 'keep', upgrade: 'none' }
const ENDS: Options = { persistence: 'close', upgrade: 'none' }

/** RFC 9110 section 7.6.1. An answer that ends with its connection ends the connection. */
export function connectionOf(
  connection: string | null,
  version: Head['version'],
  body: Head['body'],
): Options {
  if (connection === null) return version === '1.1' && body !== 'close' ? STAYS : ENDS
  // As almost everybody says it: nothing has to be split.
  if (connection === 'close') return ENDS
  if (connection === 'keep-alive') return body === 'close' ? ENDS : STAYS
  return listedIn(connection, version, body)
}

function listedIn(connection: string, version: Head['version'], body: Head['body']): Options {
  const options = connection.toLowerCase().split(',').map(trimmed)
  const stays = version === '1.1' || options.includes('keep-alive')
  return {
    persistence: stays && body !== 'close' && !options.includes('close') ? 'keep' : 'close',
    upgrade: options.includes('upgrade') ? 'offered' : 'none',
  }
}

function trimmed(text: string): string {
  return text.trim()
}
