/**
 * A value as text, for each place in which text has structure: what would be structure is encoded
 * or refused, so that a value can never be more than a value (design: Templates into structure).
 * Pinned by template.test.ts: "no value becomes structure of a path, a query or a header".
 */
import { HEADER_VALUE_BYTES_MAX, TARGET_BYTES_MAX } from '#wire/limits'
import { scalarText } from './expression-convert.ts'
import { ExpressionFailure, type CelValue } from './expression-types.ts'
import { Double, plain } from './expression-values.ts'
import { toJson } from './json-write.ts'

export type Text = string | ExpressionFailure

const NO_SCALAR = new ExpressionFailure('the value is no text, number or bool')
const CONTROLS = new ExpressionFailure('the value holds a control character')
const NO_UNICODE = new ExpressionFailure('the value is not Unicode')
const NO_SEGMENT = new ExpressionFailure('the value is empty, "." or "..": no segment of a path')
const TOO_LONG = new ExpressionFailure('the value is too long')

/** Text in a text: lists and maps as JSON, null as null. */
export function plainText(value: CelValue): Text {
  return scalar(value) ?? toJson(value)
}

function scalar(value: CelValue): string | null {
  const found = plain(value)
  return found instanceof Double && found.text !== null ? found.text : scalarText(found)
}

function scalarOrFailure(value: CelValue): Text {
  return scalar(value) ?? NO_SCALAR
}

/** String, number or bool; control characters are refused, other non-ASCII is percent-encoded. */
export function headerText(value: CelValue): Text {
  const text = scalarOrFailure(value)
  return typeof text === 'string' ? checkedHeader(text) : text
}

const PRINTABLE = /^[\u0020-\u007e]*$/

/** A whole header value: of what a template has joined. */
export function checkedHeader(text: string): Text {
  if (text.length > HEADER_VALUE_BYTES_MAX) return TOO_LONG
  if (PRINTABLE.test(text)) return text
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    // C1 controls too: some servers read them as line ends
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return CONTROLS
  }
  if (!text.isWellFormed()) return NO_UNICODE
  const encoded = text.replaceAll(/[^\u0020-\u007e]+/g, encodeURIComponent)
  return encoded.length > HEADER_VALUE_BYTES_MAX ? TOO_LONG : encoded
}

/** Everything but unreserved characters percent-encoded; empty, `.` and `..` are failures. */
export function encodeSegment(value: CelValue): Text {
  const text = scalarOrFailure(value)
  if (typeof text !== 'string') return text
  return text === '' || text === '.' || text === '..' ? NO_SEGMENT : percentEncoded(text)
}

/** As a segment, but it may be empty. */
export function encodeQueryValue(value: CelValue): Text {
  const text = scalarOrFailure(value)
  return typeof text === 'string' ? percentEncoded(text) : text
}

function percentEncoded(text: string): Text {
  if (text.length > TARGET_BYTES_MAX) return TOO_LONG
  if (!text.isWellFormed()) return NO_UNICODE
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, escaped)
}

function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}

/** What literal text and holes make together must still be one segment. */
export function checkedSegment(text: string): Text {
  return text === '.' || text === '..' ? NO_SEGMENT : text
}
