/**
 * Proves strict-json.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseStrictObject } from './strict-json.ts'

function parse(text: string): unknown {
  return parseStrictObject(Buffer.from(text))
}

/** As JSON.parse would have given it: with prototypes, and numbers where digits were kept. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]))
}

test('what it accepts, JSON.parse reads the same', () => {
  const objects = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 5 }))
  fc.assert(
    fc.property(objects, fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
      const text = JSON.stringify(value, null, indent)
      const found = parse(text)
      assert.notEqual(found, null, text)
      assert.deepEqual(plain(found), plain(JSON.parse(text)))
    }),
  )
})

const PIECES = [
  ...Array.from('{}[],:"\\1-é\n \u0000\ud800\ufeff'),
  '"a"',
  '"b"',
  '"\\u0061"',
  '0',
  '.5',
  'e9',
  'true',
  'null',
  '{"a":1}',
  '"\\ud800"',
]

test('bytes at random are either refused, or JSON that both read the same', () => {
  const pieces = fc.constantFrom(...PIECES)
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      // Half a character has no bytes: what stands for it there is what both read.
      const text = Buffer.from(`{${parts.join('')}}`).toString()
      const found = parse(text)
      if (found !== null) assert.deepEqual(plain(found), plain(JSON.parse(text)))
    }),
    { numRuns: 2_000 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const found = parseStrictObject(Buffer.from(bytes))
      if (found !== null) JSON.parse(Buffer.from(bytes).toString())
    }),
  )
})

const REFUSED: readonly (readonly [string, string])[] = [
  ['a name twice', '{"sub":"a","sub":"b"}'],
  ['a name twice with equal values', '{"sub":"a","sub":"a"}'],
  ['a name twice, once escaped', '{"sub":"a","s\\u0075b":"b"}'],
  ['a name twice, deep inside', '{"a":[{"b":{"c":1,"c":2}}]}'],
  ['__proto__ twice', '{"__proto__":1,"__proto__":2}'],
  ['a list', '[]'],
  ['a text', '"a"'],
  ['nothing', ''],
  ['two objects', '{}{}'],
  ['something behind the end', '{} x'],
  ['a byte order mark', '\ufeff{}'],
  ['a trailing comma', '{"a":1,}'],
  ['a trailing comma in a list', '{"a":[1,]}'],
  ['a comment', '{/**/}'],
  ['single quotes', "{'a':1}"],
  ['a name without quotes', '{a:1}'],
  ['a control character in a text', '{"a":"\n"}'],
  ['a bad escape', '{"a":"\\x41"}'],
  ['a lone surrogate', '{"a":"\\ud800"}'],
  ['a leading zero', '{"a":01}'],
  ['a plus sign', '{"a":+1}'],
  ['a number that ends in a point', '{"a":1.}'],
  ['NaN', '{"a":NaN}'],
  ['a number beyond all doubles', '{"a":1e999}'],
  ['a word that is none', '{"a":truth}'],
  ['nesting without end', `{"a":${'['.repeat(40)}${']'.repeat(40)}}`],
  ['no end', '{"a":1'],
  ['no end of a text', '{"a":"'],
  ['a vertical tab as space', '{\u000b"a":1}'],
  ['a no-break space', '{\u00a0"a":1}'],
]

for (const [what, text] of REFUSED) {
  test(`it refuses ${what}`, () => {
    assert.equal(parse(text), null)
  })
}

test('it refuses bytes that are not UTF-8', () => {
  assert.equal(parseStrictObject(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), null)
  // an overlong spelling of a quote
  assert.equal(parseStrictObject(Buffer.from('{"a":"\xc0\xa2"}', 'latin1')), null)
})

test('a member may have any name and is only a name', () => {
  const found = parseStrictObject(Buffer.from('{"__proto__":{"admin":true},"constructor":1}'))
  assert.deepEqual(Object.keys(found ?? {}), ['__proto__', 'constructor'])
  assert.equal(Object.getPrototypeOf(found), null)
  assert.equal(({} as { admin?: boolean }).admin, undefined)
})

test('whole numbers beyond 2^53 keep their digits', () => {
  const found = parseStrictObject(Buffer.from('{"id":12345678901234567890,"n":-7,"f":1.5}'))
  assert.deepEqual({ ...found }, { id: 12345678901234567890n, n: -7, f: 1.5 })
})
