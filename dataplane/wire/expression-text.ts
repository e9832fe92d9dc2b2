/**
 * The text of CEL expressions, read without parsing: how deep its brackets nest, and where the hole
 * of a template ends. Both sides ask before they parse, because a parser's stack and time grow with
 * what it is given; one linear scan that knows strings and comments is enough.
 * Pinned by expression-text.test.ts: "a scan ends where the plain one ends".
 */

export interface TextScan {
  /** Position of the `}` that ends the hole, or the text's length. */
  readonly end: number
  readonly deepest: number
  /**
   * What is wrong at the end: a string that was never closed, a bracket that was never closed or
   * never opened, or nothing. A hole without `}` is `unclosed` too.
   */
  readonly fault: 'none' | 'string' | 'unclosed' | 'unopened'
  /** Position of what is wrong; for `none` the end. */
  readonly at: number
}

const CLOSES: { readonly [bracket: string]: string } = { ')': '(', ']': '[', '}': '{' }

interface Brackets {
  /** Positions of those that are open. */
  readonly open: number[]
  braces: number
  deepest: number
}

/** `hole`: ends at the first `}` that was not opened in it. `whole`: ends with the text. */
export function scanExpression(text: string, from: number, extent: 'hole' | 'whole'): TextScan {
  const brackets: Brackets = { open: [], braces: 0, deepest: 0 }
  let i = from
  while (i < text.length) {
    const character = text.charAt(i)
    if (extent === 'hole' && character === '}' && brackets.braces === 0) return ended(i, brackets)
    const next = after(text, i, from)
    if (next === -1) return faulty(text, brackets, 'string', i)
    if (next === i + 1 && !bracket(text, i, brackets)) return faulty(text, brackets, 'unopened', i)
    i = next
  }
  if (extent === 'hole') return faulty(text, brackets, 'unclosed', from)
  return ended(text.length, brackets)
}

/** Position after the string, comment or character at `i`; -1: a string that is never closed. */
function after(text: string, i: number, from: number): number {
  const character = text.charAt(i)
  if (character === '"' || character === "'") return stringEnd(text, i, from)
  if (character === '/' && text.charAt(i + 1) === '/') return lineEnd(text, i)
  return i + 1
}

/** Keeps count. False: it closes what is not open. */
function bracket(text: string, i: number, brackets: Brackets): boolean {
  const character = text.charAt(i)
  if (character === '(' || character === '[' || character === '{') {
    brackets.open.push(i)
    brackets.deepest = Math.max(brackets.deepest, brackets.open.length)
    if (character === '{') brackets.braces++
    return true
  }
  const opener = CLOSES[character]
  if (opener === undefined) return true
  const last = brackets.open.pop()
  if (character === '}') brackets.braces--
  return last !== undefined && text.charAt(last) === opener
}

function ended(end: number, { deepest, open }: Brackets): TextScan {
  const last = open.at(-1)
  if (last === undefined) return { end, deepest, fault: 'none', at: end }
  return { end, deepest, fault: 'unclosed', at: last }
}

function faulty(text: string, brackets: Brackets, fault: TextScan['fault'], at: number): TextScan {
  return { end: text.length, deepest: brackets.deepest, fault, at }
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end === -1 ? text.length : end
}

/** Position after the string that starts with the quote at `at`, or -1. */
function stringEnd(text: string, at: number, from: number): number {
  const quote = text.charAt(at)
  const raw = isRaw(text, at, from)
  const triple = text.startsWith(quote.repeat(3), at)
  const closing = triple ? quote.repeat(3) : quote
  let i = at + closing.length
  while (i < text.length) {
    if (text.startsWith(closing, i)) return i + closing.length
    const character = text.charAt(i)
    if (character === '\n' && !triple) return -1
    i += character === '\\' && !raw ? 2 : 1
  }
  return -1
}

/** In raw strings (`r"…"`, `rb"…"`, `bR"…"`) a backslash is itself. */
function isRaw(text: string, at: number, from: number): boolean {
  let start = at
  while (start > from && /[A-Za-z0-9_]/.test(text.charAt(start - 1))) start--
  const prefix = text.slice(start, at).toLowerCase()
  return prefix === 'r' || prefix === 'rb' || prefix === 'br'
}

/** Bytes of the text in UTF-8, which is what the limits count. */
export function utf8Bytes(text: string): number {
  let bytes = 0
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i) ?? 0
    if (point > 0xffff) i++ // two halves of one character
    if (point < 0x80) bytes += 1
    else if (point < 0x800) bytes += 2
    else bytes += point > 0xffff ? 4 : 3
  }
  return bytes
}
