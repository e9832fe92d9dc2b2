/**
 * The strings extension of CEL, and the string functions of its standard library. Positions count
 * UTF-16 units, as the library's do; whatever reads through or builds a text is counted.
 * Pinned by expression-conformance.test.ts: "CEL’s own test data evaluates as it says".
 */
import { ELEMENT_BYTES, EXHAUSTED, spendBytes, spendScan, type Budget } from './budget.ts'
import { noOverload, type Result } from './expression-arithmetic.ts'
import { ExpressionFailure } from './expression-types.ts'
import { isList, plain, type Plain } from './expression-values.ts'

const OUT_OF_RANGE = new ExpressionFailure('an index lies outside the text')
const NO_STRINGS = new ExpressionFailure('join takes a list of strings')

/** Whether both are texts, what is read of them is paid for, and `test` holds. */
function ask(
  name: string,
  reads: 'text' | 'part',
  test: (text: string, part: string) => boolean,
): (budget: Budget, text: Plain, part: Plain) => Result {
  return (budget, text, part) => {
    if (typeof text !== 'string' || typeof part !== 'string') return noOverload(name, text, part)
    const length = reads === 'text' ? text.length : part.length
    return spendScan(budget, length) ? test(text, part) : EXHAUSTED
  }
}

export const contains = ask('contains', 'text', (text, part) => text.includes(part))
export const startsWith = ask('startsWith', 'part', (text, part) => text.startsWith(part))
export const endsWith = ask('endsWith', 'part', (text, part) => text.endsWith(part))

export function charAt(_budget: Budget, text: Plain, index: Plain): Result {
  if (typeof text !== 'string' || typeof index !== 'number') {
    return noOverload('charAt', text, index)
  }
  return within(index, text.length) ? text.charAt(index) : OUT_OF_RANGE
}

function within(index: number, length: number): boolean {
  return Number.isSafeInteger(index) && index >= 0 && index <= length
}

export function indexOf(budget: Budget, text: Plain, part: Plain, from: Plain = 0): Result {
  if (typeof text !== 'string' || typeof part !== 'string' || typeof from !== 'number') {
    return noOverload('indexOf', text, part, from)
  }
  if (!within(from, text.length)) return OUT_OF_RANGE
  return spendScan(budget, text.length) ? text.indexOf(part, from) : EXHAUSTED
}

export function lastIndexOf(budget: Budget, text: Plain, part: Plain, from?: Plain): Result {
  if (typeof text !== 'string' || typeof part !== 'string') {
    return noOverload('lastIndexOf', text, part)
  }
  // searching backwards compares at every position: 0.4 s for 2 MB and 240 characters
  if (!spendScan(budget, text.length * Math.max(1, part.length))) return EXHAUSTED
  if (from === undefined) return text.lastIndexOf(part)
  if (typeof from !== 'number' || !within(from, text.length)) return OUT_OF_RANGE
  return text.lastIndexOf(part, from)
}

export function lowerAscii(budget: Budget, text: Plain): Result {
  if (typeof text !== 'string') return noOverload('lowerAscii', text)
  if (!spendBytes(budget, text.length)) return EXHAUSTED
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

export function upperAscii(budget: Budget, text: Plain): Result {
  if (typeof text !== 'string') return noOverload('upperAscii', text)
  if (!spendBytes(budget, text.length)) return EXHAUSTED
  return text.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase())
}

/** White space as Unicode defines it. */
const START = /^[ \t-\r\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/
const SPACE = /[ \t-\r\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/

export function trim(budget: Budget, text: Plain): Result {
  if (typeof text !== 'string') return noOverload('trim', text)
  if (!spendBytes(budget, text.length)) return EXHAUSTED
  const rest = text.replace(START, '')
  let end = rest.length
  while (end > 0 && SPACE.test(rest.charAt(end - 1))) end--
  return rest.slice(0, end)
}

/** By code points, so that no pair is torn apart. */
export function reverse(budget: Budget, text: Plain): Result {
  if (typeof text !== 'string') return noOverload('reverse', text)
  if (!spendBytes(budget, text.length)) return EXHAUSTED
  return Array.from(text).toReversed().join('')
}

export function substring(budget: Budget, text: Plain, from: Plain, to?: Plain): Result {
  if (typeof text !== 'string' || typeof from !== 'number') {
    return noOverload('substring', text, from)
  }
  const end = to ?? text.length
  if (typeof end !== 'number') return noOverload('substring', text, from, end)
  if (!within(from, text.length) || !within(end, text.length) || from > end) return OUT_OF_RANGE
  return spendBytes(budget, end - from) ? text.slice(from, end) : EXHAUSTED
}

/** Numbers of replacements and parts: absent and negative mean all. */
function countOf(count: Plain | undefined): number | null {
  if (count === undefined) return Number.POSITIVE_INFINITY
  if (typeof count !== 'number' || !Number.isSafeInteger(count)) return null
  return count < 0 ? Number.POSITIVE_INFINITY : count
}

export function replace(budget: Budget, ...args: readonly Plain[]): Result {
  const [text = null, part = null, by = null, times] = args
  const count = countOf(times)
  if (typeof text !== 'string' || typeof part !== 'string' || typeof by !== 'string') {
    return noOverload('replace', ...args)
  }
  if (count === null) return noOverload('replace', ...args)
  return replaceIn({ text, part, by }, count, budget)
}

interface Replacing {
  readonly text: string
  readonly part: string
  readonly by: string
}

function replaceIn({ text, part, by }: Replacing, count: number, budget: Budget): Result {
  if (!spendBytes(budget, text.length)) return EXHAUSTED
  let result = ''
  let from = 0
  for (let done = 0; done < count; done++) {
    // an empty part stands before every character, and at the end
    const at = part === '' ? from + Math.min(done, 1) : text.indexOf(part, from)
    if (at === -1 || at > text.length) break
    if (!spendBytes(budget, by.length + 1)) return EXHAUSTED
    result += text.slice(from, at) + by
    from = at + part.length
  }
  return result + text.slice(from)
}

export function split(budget: Budget, text: Plain, separator: Plain, parts?: Plain): Result {
  const count = countOf(parts)
  if (typeof text !== 'string' || typeof separator !== 'string' || count === null) {
    return noOverload('split', text, separator)
  }
  if (count === 0) return []
  const pieces = splitIn(text, separator, count)
  const bytes = text.length + ELEMENT_BYTES * pieces.length
  return spendBytes(budget, bytes) ? pieces : EXHAUSTED
}

/** The last part keeps what is left. */
function splitIn(text: string, separator: string, count: number): readonly string[] {
  if (count === 1) return [text]
  const pieces = separator === '' ? Array.from(text) : text.split(separator)
  if (pieces.length <= count) return pieces
  return [...pieces.slice(0, count - 1), pieces.slice(count - 1).join(separator)]
}

export function join(budget: Budget, list: Plain, separator: Plain = ''): Result {
  if (!isList(list) || typeof separator !== 'string') return noOverload('join', list, separator)
  const texts: string[] = []
  for (const item of list) {
    const text = plain(item)
    if (typeof text !== 'string') return NO_STRINGS
    if (!spendBytes(budget, text.length + separator.length + 1)) return EXHAUSTED
    texts.push(text)
  }
  return texts.join(separator)
}

const QUOTED: { readonly [character: string]: string } = {
  '\0': String.raw`\0`,
  '\u0007': String.raw`\a`,
  '\b': String.raw`\b`,
  '\t': String.raw`\t`,
  '\n': String.raw`\n`,
  '\v': String.raw`\v`,
  '\f': String.raw`\f`,
  '\r': String.raw`\r`,
  '"': String.raw`\"`,
  '\\': String.raw`\\`,
}

export function quote(budget: Budget, text: Plain): Result {
  if (typeof text !== 'string') return noOverload('strings.quote', text)
  if (!spendBytes(budget, 2 * text.length)) return EXHAUSTED
  let quoted = ''
  for (const character of text) quoted += QUOTED[character] ?? character
  return `"${quoted}"`
}
