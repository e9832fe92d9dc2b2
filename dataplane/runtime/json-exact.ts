/**
 * A JSON parser for documents that the engine's own would change: big integers become bigints, odd
 * spellings of numbers stay with them, and objects whose keys would be reordered become maps.
 * Strict as RFC 8259; the caller has bounded the depth.
 * Pinned by json.test.ts: "the exact parser accepts what the engine accepts, and nothing else".
 */
import type { CelValue } from './expression-types.ts'
import { CelMap, Double, intOf, needsCelMap, type MapEntry } from './expression-values.ts'

interface Reader {
  readonly text: string
  at: number
}

/** Throws a SyntaxError where the text is no JSON. */
export function parseExactly(text: string): CelValue {
  const reader: Reader = { text, at: 0 }
  const value = readValue(reader)
  skipSpace(reader)
  if (reader.at !== text.length) throw unexpected(reader)
  return value
}

function unexpected({ at }: Reader): SyntaxError {
  return new SyntaxError(`unexpected character at ${at}`)
}

function skipSpace(reader: Reader): void {
  for (;;) {
    const code = reader.text.charCodeAt(reader.at)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
    reader.at++
  }
}

function readValue(reader: Reader): CelValue {
  skipSpace(reader)
  switch (reader.text.charAt(reader.at)) {
    case '{':
      return readObject(reader)
    case '[':
      return readList(reader)
    case '"':
      return readString(reader)
    case 't':
      return readWord(reader, 'true', true)
    case 'f':
      return readWord(reader, 'false', false)
    case 'n':
      return readWord(reader, 'null', null)
    default:
      return readNumber(reader)
  }
}

function readWord(reader: Reader, word: string, value: CelValue): CelValue {
  if (!reader.text.startsWith(word, reader.at)) throw unexpected(reader)
  reader.at += word.length
  return value
}

/** Whether the character stands here; it is then read. */
function taken(reader: Reader, character: string): boolean {
  skipSpace(reader)
  if (reader.text.charAt(reader.at) !== character) return false
  reader.at++
  return true
}

function expect(reader: Reader, character: string): void {
  if (!taken(reader, character)) throw unexpected(reader)
}

function readList(reader: Reader): CelValue {
  expect(reader, '[')
  const list: CelValue[] = []
  if (taken(reader, ']')) return list
  do list.push(readValue(reader))
  while (taken(reader, ','))
  expect(reader, ']')
  return list
}

function readObject(reader: Reader): CelValue {
  expect(reader, '{')
  const entries = new Map<string, MapEntry>()
  let odd = false
  if (taken(reader, '}')) return {}
  do {
    skipSpace(reader)
    const key = readString(reader)
    expect(reader, ':')
    // of a repeated key the last value counts, at the place of the first, as in JavaScript
    entries.set(key, { key, value: readValue(reader) })
    odd ||= needsCelMap(key)
  } while (taken(reader, ','))
  expect(reader, '}')
  if (odd) return new CelMap(entries)
  const object: { [name: string]: CelValue } = {}
  for (const [key, { value }] of entries) object[key] = value
  return object
}

/** Neither escapes nor what may stand in a string only as one. */
function isPlainText(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code === 0x5c) return false
  }
  return true
}

function readString(reader: Reader): string {
  const { text, at } = reader
  if (text.charAt(at) !== '"') throw unexpected(reader)
  reader.at = stringEnd(text, at)
  const closed = reader.at - at > 1 && text.charAt(reader.at - 1) === '"'
  if (closed && isPlainText(text, at, reader.at)) return text.slice(at + 1, reader.at - 1)
  // the engine knows the escapes, and refuses what must not stand in a string
  const value: string = JSON.parse(text.slice(at, reader.at))
  return value
}

/** Position behind the quote that closes the string that starts here, or the text's length. */
export function stringEnd(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end === -1 ? text.length : end + 1
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text.charAt(at - 1 - backslashes) === '\\') backslashes++
  return backslashes % 2 === 1
}

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y

function readNumber(reader: Reader): CelValue {
  NUMBER.lastIndex = reader.at
  const match = NUMBER.exec(reader.text)
  if (match === null) throw unexpected(reader)
  const [text, fraction, exponent] = match
  reader.at += text.length
  return fraction === undefined && exponent === undefined ? integer(text) : double(text)
}

/** Integers are int64; larger ones, and -0, are doubles that keep their digits. */
function integer(text: string): CelValue {
  const number = Number(text)
  if (Object.is(number, -0)) return new Double(number, text)
  if (Number.isSafeInteger(number)) return number
  const value = text.length <= 20 ? BigInt(text) : null
  return value !== null && BigInt.asIntN(64, value) === value
    ? intOf(value)
    : new Double(number, text)
}

function double(text: string): CelValue {
  const number = Number(text)
  const same = !Number.isSafeInteger(number) && String(number) === text
  return same ? number : new Double(number, text)
}
