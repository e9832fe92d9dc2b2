/**
 * Templates: where holes begin and end, what they keep, and what is said about broken ones.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FieldPath } from './problem.ts'
import { parseTemplate, parseTree } from './template.ts'
import type { Within } from './expression.ts'

const AT = new FieldPath<string>('spec.value')
const WITHIN: Within = { place: 'aggregate', calls: ['order'] }

function parts(text: string): unknown {
  const { value, problems } = parseTemplate(text, AT, WITHIN)
  return value ?? problems.map((problem) => problem.sentence)
}

test('a closing brace inside a string, a list or a map does not end a hole', () => {
  const inner = [
    '"}"',
    "'}'",
    '"\\"}"',
    "r'}\\'",
    '"""a"}"b"""',
    "'''}'''",
    'b"}"',
    '{"a": {"b": 1}}.a.b',
    '[{}, {"}": "{"}].size()',
    'r"""}\n"""',
    '1 // }\n',
  ]
  for (const source of inner) {
    assert.deepEqual(parts(`a\${${source}}b`), ['a', { expr: source.trim() }, 'b'], source)
  }
})

test('text without holes stays as it is, and $${ writes ${', () => {
  assert.deepEqual(parts('plain'), ['plain'])
  assert.deepEqual(parts(''), [''])
  assert.deepEqual(parts('5 $ and $$'), ['5 $ and $$'])
  assert.deepEqual(parts('$${auth.consumer}'), ['${auth.consumer}'])
  assert.deepEqual(parts('$${${ auth.consumer }}'), ['${', { expr: 'auth.consumer' }, '}'])
  assert.deepEqual(parts('${auth.consumer}'), [{ expr: 'auth.consumer' }])
})

test('a hole that does not end says where it began', () => {
  assert.deepEqual(parts('ab${auth.consumer'), [
    'At column 3: the ${ that begins here has no }; for a literal ${ write $${.',
  ])
  assert.deepEqual(parts('${"abc}'), [
    'At column 3: the text that begins here is not closed; add " at its end.',
  ])
  assert.deepEqual(parts('${}'), [
    'At column 1: there is no expression between ${ and }; for a literal ${ write $${.',
  ])
})

test('a mistake inside a hole has its column in the whole text', () => {
  assert.deepEqual(parts('tenant ${auth.clams.x}'), [
    'At column 14: auth has no field clams; did you mean claims?',
  ])
  assert.deepEqual(parts('${(1}'), ['At column 3: the ( is never closed.'])
})

test('what a template reads is known', () => {
  const text = '${calls.order.body.id}/${request.headers["X-Tenant"]}/${auth.claims.sub}'
  assert.deepEqual(parseTemplate(text, AT, WITHIN).facts, {
    variables: ['auth', 'calls', 'request'],
    calls: ['order'],
    headers: ['x-tenant'],
    claims: ['sub'],
    body: 'unread',
  })
})

test('a document keeps its values, and strings in it are templates', () => {
  const json = { id: '${calls.order.body.id}', n: 1, list: [true, 'x', 'a${auth.consumer}'] }
  assert.deepEqual(parseTree(json, AT, WITHIN).value, {
    kind: 'object',
    fields: [
      { name: 'id', tree: { kind: 'template', template: [{ expr: 'calls.order.body.id' }] } },
      { name: 'n', tree: { kind: 'value', value: 1 } },
      {
        name: 'list',
        tree: {
          kind: 'list',
          items: [
            { kind: 'value', value: true },
            { kind: 'value', value: 'x' },
            { kind: 'template', template: ['a', { expr: 'auth.consumer' }] },
          ],
        },
      },
    ],
  })
})

test('a document without holes is one value', () => {
  const json = { a: [1, { b: '$${c}' }] }
  const { value, problems } = parseTree(json, AT, WITHIN)
  assert.deepEqual(value, { kind: 'value', value: { a: [1, { b: '${c}' }] } })
  assert.deepEqual(problems, [])
})

test('what YAML or kubectl would change in a document is refused with its path', () => {
  const { value, problems } = parseTree({ a: null, true: 1, b: [{ 'x-y': '${' }] }, AT, WITHIN)
  assert.equal(value, null)
  assert.deepEqual(
    problems.map(({ path, reason }) => [path, reason]),
    [
      ['spec.value.a', 'Invalid'],
      ['spec.value.true', 'Invalid'],
      ['spec.value.b[0]["x-y"]', 'InvalidExpression'],
    ],
  )
  let deep: unknown = 1
  for (let i = 0; i < 100; i++) deep = [deep]
  assert.equal(parseTree(deep, AT, WITHIN).problems[0]?.reason, 'TooExpensive')
  assert.equal(parseTree(Number.NaN, AT, WITHIN).problems[0]?.reason, 'Invalid')
  assert.equal(parseTree(undefined, AT, WITHIN).problems[0]?.reason, 'Invalid')
})

test('no text makes a template throw, and literal parts with holes make the text again', () => {
  const piece = fc.constantFrom(
    '${',
    '}',
    '$',
    '$${',
    '"',
    "'",
    'auth.consumer',
    'r"',
    '\\',
    '{',
    '\n',
  )
  const texts = fc.array(fc.oneof(piece, fc.string()), { maxLength: 12 }).map((all) => all.join(''))
  fc.assert(
    fc.property(texts, (text) => {
      const { value, problems } = parseTemplate(text, AT, WITHIN)
      assert.equal(value === null, problems.length > 0)
      if (value === null || text.includes('$${')) return
      const written = value.map((part) => (typeof part === 'string' ? part : `\${${part.expr}}`))
      assert.equal(written.join('').replaceAll(/\s/g, ''), text.replaceAll(/\s/g, ''))
    }),
    { numRuns: 2000 },
  )
})
