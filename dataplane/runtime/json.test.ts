/**
 * JSON in and out: nothing is lost, nothing that is no JSON comes in.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  CelMap,
  Double,
  JsonText,
  plain,
  Timestamp,
  Uint,
  type Plain,
} from './expression-values.ts'
import { parseExactly } from './json-exact.ts'
import { toJson } from './json-write.ts'
import { parseJson } from './json.ts'
import { ExpressionFailure } from './expression-types.ts'

function valueOf(text: string): Plain {
  const parsed = parseJson(text)
  assert.equal(parsed.kind, 'value', text)
  return parsed.kind === 'value' ? plain(parsed.value) : null
}

const number = fc.oneof(
  fc.integer().map(String),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.constantFrom(
    '1.0',
    '12.50',
    '1e3',
    '1E+5',
    '-0.0',
    '-0',
    '0.10',
    '123456789012345678901',
    '1e400',
  ),
)
const key = fc.oneof(
  fc.constantFrom('10', '2', '__proto__', 'a', 'b_1', '\\u0031', '_'),
  fc.string(),
)
const document = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    number,
    fc.string().map((text) => JSON.stringify(text)),
    fc.constantFrom('true', 'false', 'null', '[]', '{}'),
    fc.array(tie('json'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
    fc
      .uniqueArray(fc.tuple(key, tie('json')), { maxLength: 4, selector: ([name]) => name })
      .map((fields) => `{${fields.map(([k, v]) => `${JSON.stringify(k)}:${v}`).join(',')}}`),
  ),
})).json

test('every document comes out as it went in', () => {
  fc.assert(
    fc.property(document, (text) => {
      const parsed = parseJson(text)
      assert.equal(parsed.kind === 'value' ? toJson(parsed.value) : 'refused', text)
      // and without its text, from the values alone
      assert.equal(toJson(valueOf(text)), text)
    }),
    { numRuns: 2000 },
  )
})

test('the exact parser accepts what the engine accepts, and nothing else', () => {
  const token = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"a"',
    '1',
    '-',
    '.5',
    'e',
    'null',
    ' ',
  )
  const near = fc.array(fc.oneof(token, fc.string({ maxLength: 2 }))).map((all) => all.join(''))
  fc.assert(
    fc.property(fc.oneof(near, document, fc.string()), (text) => {
      assert.equal(accepts(parseExactly, text), accepts(JSON.parse, text))
      assert.equal(parseJson(text).kind === 'value', accepts(JSON.parse, text))
    }),
    { numRuns: 3000 },
  )
})

function accepts(parse: (text: string) => unknown, text: string): boolean {
  try {
    parse(text)
    return true
  } catch {
    return false
  }
}

test('both parsers read one value', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      assert.equal(toJson(parseExactly(text)), toJson(valueOf(text)))
    }),
    { numRuns: 1000 },
  )
})

test('integers are ints and what has a fraction or an exponent is a double', () => {
  assert.equal(valueOf('5'), 5)
  assert.equal(valueOf('9007199254740993'), 9007199254740993n)
  assert.equal(valueOf('9007199254740992'), 9007199254740992n)
  assert.deepEqual(valueOf('5.0'), new Double(5, '5.0'))
  assert.deepEqual(valueOf('5e0'), new Double(5, '5e0'))
  assert.equal(valueOf('0.5'), 0.5)
  assert.deepEqual(valueOf('12.50'), new Double(12.5, '12.50'))
  const large = valueOf('18446744073709551616')
  assert.deepEqual(large, new Double(18446744073709551616, '18446744073709551616'))
})

test('keys that a plain object would move or swallow stay where they are', () => {
  const map = valueOf('{"b":1,"10":2,"2":3,"__proto__":4}')
  assert.ok(map instanceof CelMap)
  assert.deepEqual([...map.entries.keys()], ['b', '10', '2', '__proto__'])
  assert.deepEqual(valueOf('{"b":1,"a":{"x":2}}'), { b: 1, a: { x: 2 } })
})

test('a document that nests too deep is refused before it is read', () => {
  assert.equal(parseJson(`${'['.repeat(64)}${']'.repeat(64)}`).kind, 'value')
  assert.equal(parseJson(`${'['.repeat(65)}${']'.repeat(65)}`).kind, 'refused')
  assert.equal(parseJson('['.repeat(1_000_000)).kind, 'refused')
  assert.equal(parseJson(`"${'['.repeat(1000)}"`).kind, 'value')
})

test('a short list of large values is not written beyond the limit', () => {
  const large = new JsonText(`"${'x'.repeat(1000)}"`, 'x'.repeat(1000))
  const list = Array.from({ length: 100 }, () => large)
  assert.ok(toJson(list, 50_000) instanceof ExpressionFailure)
  assert.ok(
    toJson(
      Array.from({ length: 100 }, () => 'x'.repeat(1000)),
      50_000,
    ) instanceof Object,
  )
  assert.equal(typeof toJson(list), 'string')
  let shared: Plain = ['x']
  for (let i = 0; i < 60; i++) shared = [shared, shared]
  assert.ok(toJson(shared) instanceof ExpressionFailure)
})

test('values that JSON does not know are written as protobuf writes them', () => {
  assert.equal(toJson(new Uint(7n)), '7')
  assert.equal(toJson(Uint8Array.of(1, 2)), '"AQI="')
  assert.equal(toJson(new Timestamp(0, 500_000_000)), '"1970-01-01T00:00:00.500Z"')
  assert.equal(toJson(Number.NaN), 'null')
  assert.equal(toJson(2n ** 60n), '1152921504606846976')
  assert.equal(toJson({ a: [new Double(1), 2n ** 60n] }), '{"a":[1,1152921504606846976]}')
})
