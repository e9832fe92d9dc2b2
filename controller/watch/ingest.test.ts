/**
 * Promises of ingest.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ingest, settled } from './ingest.ts'

test('the order of keys in a file or an answer does not matter', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepEqual(settled(shuffled(value)), settled(value))
      assert.equal(JSON.stringify(settled(shuffled(value))), JSON.stringify(settled(value)))
    }),
  )
})

function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, item]) => [key, shuffled(item)]),
  )
}

test('managedFields, status and Secret data never reach the compiler', () => {
  const secret = ingest('Secret', {
    kind: 'Secret',
    type: 'fairlead.dev/pepper',
    metadata: { name: 'p', namespace: 'a', managedFields: [{ manager: 'x' }] },
    data: { pepper: Buffer.from('hunter2').toString('base64') },
    stringData: { plain: 'hunter3' },
    status: {},
  })
  assert.deepEqual(Object.keys(secret.content).toSorted(), ['kind', 'type'])
  assert.ok(!JSON.stringify(secret).includes('hunter'))
  assert.equal(secret.secrets?.get('pepper')?.reveal().toString(), 'hunter2')
  assert.equal(secret.secrets?.get('plain')?.reveal().toString(), 'hunter3')
})

test('an object is frozen to its last leaf', () => {
  const route = ingest('ApiRoute', {
    metadata: { name: 'a', labels: { b: 'c' } },
    spec: { rules: [{ name: 'x' }] },
  })
  const spec = route.content['spec']
  assert.ok(Object.isFrozen(route) && Object.isFrozen(route.labels) && Object.isFrozen(spec))
  assert.throws(() => Object.assign(Object(spec), { more: 1 }), TypeError)
})

test('a key named __proto__ is data', () => {
  const value = settled(JSON.parse('{"__proto__": {"polluted": 1}}'))
  assert.equal(JSON.stringify(value), '{"__proto__":{"polluted":1}}')
  assert.equal(({} as { polluted?: unknown }).polluted, undefined)
})
