/**
 * Scanning expressions: where a hole ends and how deep brackets nest, beside a plain twin that cuts
 * the text into tokens with one regular expression.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { scanExpression, utf8Bytes } from './expression-text.ts'

/** Strings, comments, or one character. */
const RAW = '(?<![A-Za-z0-9_])(?:[bB]?[rR]|[rR][bB])'
const TOKEN = new RegExp(
  [
    RAW + String.raw`(?:TRIPLE[^]*?TRIPLE|'''[^]*?'''|"(?!"")[^"\n]*"|'(?!'')[^'\n]*')`,
    String.raw`TRIPLE(?:\\[^]|[^\\])*?TRIPLE|'''(?:\\[^]|[^\\])*?'''`,
    String.raw`"(?!"")(?:\\[^]|[^"\\\n])*"|'(?!'')(?:\\[^]|[^'\\\n])*'|""(?!")|''(?!')`,
    String.raw`\/\/[^\n]*`,
    '[^]',
  ]
    .join('|')
    .replaceAll('TRIPLE', '"""'),
  'g',
)

/** Where the hole ends, or null where a bracket or a string is not closed. */
function plainEnd(text: string): number | null {
  const open: string[] = []
  const closes: { readonly [bracket: string]: string } = { ')': '(', ']': '[', '}': '{' }
  for (const match of text.matchAll(TOKEN)) {
    const token = match[0]
    if (token === '"' || token === "'") return null
    if ('([{'.includes(token)) open.push(token)
    const opener = closes[token]
    if (opener === undefined) continue
    if (token === '}' && !open.includes('{')) return open.length === 0 ? match.index : null
    if (open.pop() !== opener) return null
  }
  return null
}

test('a scan ends where the plain one ends', () => {
  const pieces = `"a}" '}' TRIPLE}" " ' r"\\" br'}' \\ { } ( ) [ ] // x r TRIPLE ''' ab`
  const piece = fc.constantFrom(' ', '\n', ...pieces.replaceAll('TRIPLE', '"""').split(' '))
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (all) => {
      const text = all.join('')
      const scan = scanExpression(text, 0, 'hole')
      assert.equal(scan.fault === 'none' ? scan.end : null, plainEnd(text), text)
    }),
    { numRuns: 5000 },
  )
})

test('the deepest nesting is counted, but not inside strings and comments', () => {
  const deepest = (text: string): number => scanExpression(text, 0, 'whole').deepest
  assert.equal(deepest('a'), 0)
  assert.equal(deepest('f([{"a": (1)}])'), 4)
  assert.equal(deepest('"((((" + r"((\\" // (((('), 0)
  assert.equal(deepest('('.repeat(5000)), 5000)
})

test('what is not closed or not open is found where it stands', () => {
  const fault = (text: string): unknown => {
    const scan = scanExpression(text, 0, 'whole')
    return [scan.fault, scan.at]
  }
  assert.deepEqual(fault('a + (b'), ['unclosed', 4])
  assert.deepEqual(fault('a + b)'), ['unopened', 5])
  assert.deepEqual(fault('(a]'), ['unopened', 2])
  assert.deepEqual(fault('a == "b'), ['string', 5])
  assert.deepEqual(fault('a == "b\n"'), ['string', 5])
  assert.deepEqual(fault('(a)'), ['none', 3])
})

test('bytes are those of UTF-8', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'é', '€', '😀', '\ud800')), (all) => {
      const text = all.join('')
      assert.equal(utf8Bytes(text), Buffer.byteLength(text, 'utf8'))
    }),
  )
})
