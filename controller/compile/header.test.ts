/**
 * Headers that resources write.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HeaderEditsSpec } from '../../crds/api-route.ts'
import { compileHeaderEdits, compileHeaders, refuseRequired } from './header.ts'
import { FieldPath } from './problem.ts'

const AT = new FieldPath<HeaderEditsSpec>('spec.rules[0].requestHeaders')

function compile(spec: HeaderEditsSpec): ReturnType<typeof compileHeaderEdits> {
  return compileHeaderEdits(spec, AT, { place: 'policy' })
}

test('edits keep their order and their names come out in lower case', () => {
  const { value, problems } = compile({
    remove: ['Cookie', 'cookie', 'X-Old'],
    set: [
      { name: 'X-Tenant', value: '${auth.claims.tenant}', required: true },
      { name: 'x-fixed', value: 'a $${b} c' },
    ],
    add: [
      { name: 'link', value: '</a>' },
      { name: 'Link', value: '</b>; n=${request.method}' },
    ],
  })
  assert.deepEqual(problems, [])
  assert.deepEqual(value, {
    remove: ['cookie', 'x-old'],
    set: [
      { name: 'x-tenant', value: [{ expr: 'auth.claims.tenant' }], onFailure: 'refuse' },
      { name: 'x-fixed', value: ['a ${b} c'], onFailure: 'remove' },
    ],
    add: [
      { name: 'link', value: ['</a>'], onFailure: 'remove' },
      { name: 'link', value: ['</b>; n=', { expr: 'request.method' }], onFailure: 'remove' },
    ],
  })
})

test('an empty value is a value', () => {
  const { value, problems } = compile({ set: [{ name: 'x-empty', value: '' }] })
  assert.deepEqual(problems, [])
  assert.deepEqual(value.set[0]?.value, [''])
})

test('a name that is not for a policy to touch is refused where it stands', () => {
  const { problems } = compile({
    remove: ['Connection'],
    set: [{ name: 'Host', value: 'a' }],
    add: [{ name: 'x-fairlead-cause', value: 'a' }],
  })
  assert.deepEqual(
    problems.map(({ path }) => path.replace('spec.rules[0].requestHeaders.', '')),
    ['remove[0]', 'set[0].name', 'add[0].name'],
  )
})

test('one name cannot be set to two values', () => {
  const { value, problems } = compile({
    set: [
      { name: 'x-a', value: '1' },
      { name: 'X-A', value: '2' },
    ],
  })
  assert.equal(value.set.length, 1)
  assert.match(problems[0]?.sentence ?? '', /set twice/)
})

test('a value with a line break, a tab or another control character is refused', () => {
  for (const value of ['a\nb', 'a\r', 'a\tb', '\u0000', 'a\u007f']) {
    assert.equal(compile({ set: [{ name: 'x-a', value }] }).problems.length, 1)
  }
  assert.deepEqual(compile({ set: [{ name: 'x-a', value: 'a b é' }] }).problems, [])
})

test('a value that no data plane would send is refused before one has it', () => {
  const values = [
    '€'.repeat(455),
    '€'.repeat(456),
    'x'.repeat(4096),
    `\${request.path}${'é'.repeat(683)}`,
  ]
  const { problems } = compile({
    set: [...values, '\ud800', 'a\tb'].map((value, i) => ({ name: `x-${i}`, value })),
  })
  assert.deepEqual(
    problems.map(({ path }) => path),
    [1, 3, 4, 5].map((i) => `spec.rules[0].requestHeaders.set[${i}].value`),
  )
  assert.match(problems[0]?.sentence ?? '', /this is 4104 bytes long, and 4096 are the most/)
})

test('an expression that cannot be used is told at the value', () => {
  const { value, problems } = compile({ set: [{ name: 'x-a', value: 'u-${calls.a.body}' }] })
  assert.deepEqual(value.set, [])
  assert.equal(problems[0]?.path, 'spec.rules[0].requestHeaders.set[0].value')
})

test('what the expressions of all headers read is known', () => {
  const within = { place: 'aggregate', calls: ['a', 'b'] } as const
  const list = [
    { name: 'x-a', value: '${calls.b.body.x}' },
    { name: 'x-b', value: '${calls.a.headers.etag}' },
  ]
  const { facts } = compileHeaders(list, AT.child('set'), within, 'allowed')
  assert.deepEqual(facts.calls, ['a', 'b'])
})

test('a header of a response cannot be required', () => {
  const spec = { set: [{ name: 'x-a', value: 'a', required: true }], add: [] }
  assert.equal(refuseRequired(spec, AT)[0]?.path, 'spec.rules[0].requestHeaders.set[0].required')
  assert.deepEqual(refuseRequired({ set: [{ name: 'x-a', value: 'a', required: false }] }, AT), [])
})
