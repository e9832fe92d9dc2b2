/**
 * Lines that could not be read at once: why not. Never on the way of an ordinary message, so that it
 * can be plain. Each gets the whole line with its end, as latin1 text.
 * Pinned by parse.test.ts: "every failure has bytes that cause it".
 */
import { TARGET_BYTES_MAX } from '#wire/limits'
import type { ParseFailure } from './failure.ts'
import { CHUNK_DIGITS_MAX, METHOD_BYTES_MAX } from './limits.ts'

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const IS_TOKEN = new RegExp(`^${TOKEN}$`)
const VERSION = /^HTTP\/\d\.\d$/
const KNOWN_VERSION = /^HTTP\/1\.[01]$/
const KNOWN_METHOD = /^[A-Z-]+$/

/** RFC 9112 section 3. HTTP/0.9 had no version at all. */
export function whyNoRequestLine(line: string): ParseFailure {
  if (!line.endsWith('\r\n')) return 'bad-line-end'
  const text = line.slice(0, -2)
  const first = text.indexOf(' ')
  const last = text.lastIndexOf(' ')
  if (first === last) return 'bad-line'
  const method = text.slice(0, first)
  const version = text.slice(last + 1)
  if (!IS_TOKEN.test(method) || !VERSION.test(version)) return 'bad-line'
  if (!KNOWN_VERSION.test(version)) return 'unknown-version'
  // Section 3: "longer than any that it implements" gets 501.
  if (!KNOWN_METHOD.test(method) || method.length > METHOD_BYTES_MAX) return 'unknown-method'
  return last - first - 1 > TARGET_BYTES_MAX ? 'target-too-long' : 'bad-target'
}

const STATUS_LINE = /^(HTTP\/\d\.\d) (\d{3})(?: |$)/

/** RFC 9112 section 4. */
export function whyNoStatusLine(line: string): ParseFailure {
  if (!line.endsWith('\r\n')) return 'bad-line-end'
  const [, version, status] = STATUS_LINE.exec(line.slice(0, -2)) ?? []
  if (version === undefined || status === undefined) return 'bad-line'
  if (!KNOWN_VERSION.test(version)) return 'unknown-version'
  return Number(status) < 100 || Number(status) > 599 ? 'bad-status' : 'bad-line'
}

const NAMED = new RegExp(`^${TOKEN}:`)

/** RFC 9112 section 5; 5.1: no space before the colon; 5.2: no folded lines; 2.2: no bare CR. */
export function whyNoField(line: string): ParseFailure {
  if (line.startsWith(' ') || line.startsWith('\t')) return 'folded'
  if (!line.endsWith('\r\n')) return 'bad-line-end'
  return NAMED.test(line) ? 'bad-value' : 'bad-name'
}

/** RFC 9112 section 7.1.1, without the optional spaces that it calls bad. */
const QUOTED = '"(?:[\\t !#-[\\]-~\\u0080-\\u00ff]|\\\\[\\t -~\\u0080-\\u00ff])*"'
const CHUNK_LINE = new RegExp(`^([0-9A-Fa-f]+)(?:;${TOKEN}(?:=(?:${TOKEN}|${QUOTED}))?)*\\r\\n$`)

/** A chunk's size where extensions follow it, which are dropped (section 7.1.1). */
export function chunkSizeOf(line: string): number | ParseFailure {
  const [, digits] = CHUNK_LINE.exec(line) ?? []
  if (digits === undefined || digits.length > CHUNK_DIGITS_MAX) return 'bad-chunk'
  return Number.parseInt(digits, 16)
}
