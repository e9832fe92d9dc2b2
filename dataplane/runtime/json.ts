/**
 * JSON as CEL values, without loss: integers keep their digits, numbers their spelling, objects the
 * order of their keys. Most documents hold nothing that JavaScript would change, and are read by
 * the engine's own parser after one look over the text; the others by the parser beside this file.
 * Pinned by json.test.ts: "every document comes out as it went in".
 */
import { JSON_NESTING_MAX } from '#wire/limits'
import type { Json } from '#wire/value'
import type { CelValue } from './expression-types.ts'
import { isList, isMap, JsonText, needsCelMap, plain, type Plain } from './expression-values.ts'
import { parseExactly, stringEnd } from './json-exact.ts'

/** Lists and maps are JsonText, so that they pass through whole as they came. */
export type ParsedJson =
  | { readonly kind: 'value'; readonly value: CelValue }
  | { readonly kind: 'refused'; readonly because: string }

export function parseJson(text: string): ParsedJson {
  const survey = surveyOf(text)
  if (survey === 'deep') {
    return { kind: 'refused', because: `it nests deeper than ${JSON_NESTING_MAX}` }
  }
  try {
    const value = survey === 'plain' ? parsedPlainly(text) : plain(parseExactly(text))
    const whole = isList(value) || isMap(value)
    return { kind: 'value', value: whole ? new JsonText(text, value) : value }
  } catch {
    return { kind: 'refused', because: 'it is no JSON' }
  }
}

function parsedPlainly(text: string): Plain {
  const value: Json = JSON.parse(text)
  return value
}

const BACKSLASH = 0x5c
const COLON = 0x3a
const MINUS = 0x2d

type Survey = 'plain' | 'odd' | 'deep'

/** What a character outside of strings begins. */
const NOTHING = 0
const STRING = 1
const NUMBER = 2
const OPEN = 3
const CLOSE = 4
const BEGINS = beginnings()

function beginnings(): Uint8Array {
  const table = new Uint8Array(128)
  const mark = (characters: string, kind: number): void => {
    for (const character of characters) table[character.charCodeAt(0)] = kind
  }
  mark('"', STRING)
  mark('-0123456789', NUMBER)
  mark('[{', OPEN)
  mark(']}', CLOSE)
  return table
}

/** Whether anything in the text would change on its way through JavaScript's own values. */
function surveyOf(text: string): Survey {
  let depth = 0
  let survey: Survey = 'plain'
  let i = 0
  while (i < text.length) {
    const begins = BEGINS[text.charCodeAt(i)] ?? NOTHING
    let end = i + 1
    if (begins === STRING) {
      end = stringEnd(text, i)
      if (isOddKey(text, i, end)) survey = 'odd'
    } else if (begins === NUMBER) {
      end = numberEnd(text, i)
      if (isOddNumber(text, i, end)) survey = 'odd'
    } else if (begins >= OPEN) {
      depth += begins === OPEN ? 1 : -1
      if (depth > JSON_NESTING_MAX) return 'deep'
    }
    i = end
  }
  return survey
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** Position behind whatever could belong to a number: digits, signs, a point, an exponent. */
function numberEnd(text: string, start: number): number {
  let end = start + 1
  for (;;) {
    const code = text.charCodeAt(end)
    if (!isDigit(code) && !isNumberSign(code)) return end
    end++
  }
}

function isNumberSign(code: number): boolean {
  return code === 0x2e || code === 0x2d || code === 0x2b || code === 0x65 || code === 0x45
}

/** Keys that a plain object would move or swallow: they begin with a digit, `_` or an escape. */
function isOddKey(text: string, start: number, end: number): boolean {
  const first = text.charCodeAt(start + 1)
  if (!isDigit(first) && first !== 0x5f && first !== BACKSLASH) return false
  let next = end
  while (text.charCodeAt(next) <= 0x20) next++
  if (text.charCodeAt(next) !== COLON) return false
  return first === BACKSLASH || needsCelMap(text.slice(start + 1, end - 1))
}

/** Fifteen digits are exact in every way; of others the spelling is compared. */
function isOddNumber(text: string, start: number, end: number): boolean {
  const first = text.charCodeAt(start)
  if (end - start <= 15 && first !== MINUS && areDigits(text, start, end)) return false
  const spelling = text.slice(start, end)
  const number = Number(spelling)
  return String(number) !== spelling || (Number.isInteger(number) && !Number.isSafeInteger(number))
}

function areDigits(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (!isDigit(text.charCodeAt(i))) return false
  return true
}
