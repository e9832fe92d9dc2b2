/**
 * JSON as CEL values, without loss: integers keep their digits, numbers their spelling, objects the
 * order of their keys. Most documents hold nothing that JavaScript would change, and are read by
 * the engine's own parser after one look over the text; the others by the parser beside this file.
 * Pinned by json.test.ts: "every document comes out as it went in".
 */
import { JSON_NESTING_MAX } from '#wire/limits'
import type { Json } from '#wire/value'
import { JsonText, needsCelMap, plain, type Plain } from './expression-values.ts'
import { parseExactly, stringEnd } from './json-exact.ts'

/** The value has its text, so that it passes through whole as it came. */
export type ParsedJson =
  | { readonly kind: 'value'; readonly value: JsonText }
  | { readonly kind: 'refused'; readonly because: string }

export function parseJson(text: string): ParsedJson {
  const survey = surveyOf(text)
  if (survey === 'deep') {
    return { kind: 'refused', because: `it nests deeper than ${JSON_NESTING_MAX}` }
  }
  try {
    const value = survey === 'plain' ? parsedPlainly(text) : plain(parseExactly(text))
    return { kind: 'value', value: new JsonText(text, value) }
  } catch {
    return { kind: 'refused', because: 'it is no JSON' }
  }
}

function parsedPlainly(text: string): Plain {
  const value: Json = JSON.parse(text)
  return value
}

type Survey = 'plain' | 'odd' | 'deep'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const MINUS = 0x2d
const NUMBER = /-?\d[\d.eE+-]*/y

/** Whether anything in the text would change on its way through JavaScript's own values. */
function surveyOf(text: string): Survey {
  let depth = 0
  let survey: Survey = 'plain'
  let i = 0
  while (i < text.length) {
    const code = text.charCodeAt(i)
    let end = i + 1
    if (code === QUOTE) {
      end = stringEnd(text, i)
      if (isOddKey(text, i, end)) survey = 'odd'
    } else if (code === MINUS || isDigit(code)) {
      end = i + numberAt(text, i).length
      if (isOddNumber(text.slice(i, end))) survey = 'odd'
    } else {
      depth += DEEPER.get(code) ?? 0
      if (depth > JSON_NESTING_MAX) return 'deep'
    }
    i = end
  }
  return survey
}

/** What brackets do to the depth. */
const DEEPER: ReadonlyMap<number, number> = new Map([
  [0x5b, 1],
  [0x7b, 1],
  [0x5d, -1],
  [0x7d, -1],
])

function numberAt(text: string, at: number): string {
  NUMBER.lastIndex = at
  return NUMBER.exec(text)?.[0] ?? '-'
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
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
function isOddNumber(text: string): boolean {
  if (text.length <= 15 && !/[.eE]|^-0/.test(text)) return false
  const number = Number(text)
  return String(number) !== text || (Number.isInteger(number) && !Number.isSafeInteger(number))
}
