/**
 * Texts that have to be parsed, found by the schemas.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CrdKind, KINDS } from './kinds.ts'
import { eachWritten } from './written.ts'

function written(kind: CrdKind, spec: unknown): readonly string[] {
  const found: string[] = []
  eachWritten(kind, spec, (form, text) => found.push(`${form} ${text}`))
  return found.toSorted()
}

test('each text is visited with its form, wherever it stands', () => {
  const call = {
    path: '/${a}',
    when: 'b',
    body: { list: ['${c}', 1, null], '${no}': { deep: 'd' } },
  }
  const spec = {
    hosts: ['not.a.text'],
    rules: [
      {
        name: 'one',
        match: [{ pathRegex: 'e.*', headers: [{ name: 'x', regex: 'f' }], when: 'g' }],
        requestHeaders: { set: [{ name: 'x', value: 'h' }] },
        aggregate: { calls: { first: call }, response: { status: '${i}', body: 'j' } },
      },
    ],
  }
  assert.deepEqual(written('ApiRoute', spec), [
    'expression b',
    'expression g',
    'pattern e.*',
    'pattern f',
    'template ${c}',
    'template ${i}',
    'template /${a}',
    'template d',
    'template h',
    'template j',
  ])
  const limits = { a: { key: 'k', cost: 'l', rates: [{ when: 'm', rate: '1/1s' }] } }
  assert.deepEqual(written('RateLimitPolicy', { overrides: { limits } }), [
    'expression k',
    'expression l',
    'expression m',
  ])
  const authorize = { a: { require: 'n' } }
  const forward = { headers: [{ name: 'x', value: 'o' }] }
  assert.deepEqual(written('AuthPolicy', { authorize, defaults: { forward } }), [
    'expression n',
    'template o',
  ])
})

test('what does not fit the schema is passed over', () => {
  for (const kind of Object.keys(KINDS) as readonly CrdKind[]) {
    for (const odd of [null, 1, 'x', [], { rules: 1 }, { limits: [] }, { nobody: 'knows' }]) {
      assert.deepEqual(written(kind, odd), [])
    }
  }
})
