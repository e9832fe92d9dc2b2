/**
 * Strictness of the contract against a plain twin: the types of the table written once more as data,
 * with an interpreter that knows structure and nothing else.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { SAMPLES } from '../../test/wire/samples.ts'
import { check, checkObject, checkReferences, reach } from '#wire/check'
import { objectId } from '#wire/table'
import type { TableObject } from '#wire/table'
import { mutated, objectTwin } from './fake/twin.ts'

function tableOf(objects: readonly TableObject[]): ReadonlyMap<string, TableObject> {
  return new Map(objects.map((object) => [objectId(object.kind, object.key), object]))
}

test('every kind with every variant is accepted, by the plain twin too', () => {
  for (const object of SAMPLES) {
    assert.equal(checkObject(object), null, object.key)
    assert.equal(objectTwin(object), true, object.key)
  }
  assert.equal(check(tableOf(SAMPLES)), null)
})

test('nothing is accepted that the plain twin refuses', () => {
  let accepted = 0
  fc.assert(
    fc.property(mutated(fc.constantFrom(...SAMPLES)), (object) => {
      if (checkObject(object) !== null) return
      accepted += 1
      assert.equal(objectTwin(object), true)
    }),
    { numRuns: 20_000 },
  )
  assert.ok(
    accepted > 100,
    `only ${accepted} mutations were accepted: the mutations are too coarse`,
  )
})

test('a member more or less is refused wherever it is', () => {
  for (const change of [addMember, dropMember]) {
    for (const object of SAMPLES.flatMap((whole) => everywhere(whole, change))) {
      if (objectTwin(object)) continue // a map, or JSON of the user
      assert.notEqual(checkObject(object), null, JSON.stringify(object))
    }
  }
})

type Fields = Record<string, unknown>

function addMember(fields: Fields): Fields[] {
  return [{ ...fields, surprise: 1 }]
}

function dropMember(fields: Fields): Fields[] {
  return Object.keys(fields).map((name) =>
    Object.fromEntries(Object.entries(fields).filter(([other]) => other !== name)),
  )
}

/** The value with one of its objects changed, for each of them. */
function everywhere(value: unknown, change: (fields: Fields) => Fields[]): unknown[] {
  if (Array.isArray(value)) {
    return value.flatMap((item, i) => everywhere(item, change).map((next) => value.with(i, next)))
  }
  if (typeof value !== 'object' || value === null) return []
  const fields: Fields = { ...value }
  const inside = Object.entries(fields).flatMap(([name, member]) =>
    everywhere(member, change).map((next) => ({ ...fields, [name]: next })),
  )
  return [...change(fields), ...inside]
}

function textOf(key: string): string {
  return JSON.stringify(SAMPLES.find((object) => object.key === key))
}

const BEYOND: readonly (readonly [string, string, string])[] = [
  ['shop/limits/b', '"max":50', '"max":0'],
  ['shop/limits/b', '"max":50', '"max":1000001'],
  ['shop/limits/a', '"count":60', '"count":1000000001'],
  ['shop/limits/a', '"periodMs":60000', '"periodMs":2678400001'],
  ['shop/limits/a', '"cost":"', `"cost":"${'x'.repeat(4096)}`],
  ['shop/shop/full', '"totalTimeoutMs":2000', '"totalTimeoutMs":2147483648'],
  ['shop/shop/full', '"name":"x-a"', '"name":"X-A"'],
  ['shop/shop/full', '["a ",', '["a\\r\\nset-cookie: b",'],
  ['shop/shop/full', '["a ",', `["${'a'.repeat(65_537)}",`],
  ['shop/shop/full', '"method":"GET"', '"method":"get"'],
  ['shop/shop/full', '"pattern":"^a+$"', `"pattern":"${'a'.repeat(257)}"`],
  ['shop/shop/full', '{"literal":"books"}', '{"literal":"bo/oks"}'],
  ['shop/shop/full', '{"literal":"books"}', '{"literal":""}'],
  ['shop/shop/full', '{"literal":"books"}', '{"literal":"a","param":"b"}'],
  ['shop/shop/full', '"host":"search.internal"', '"host":"a/b"'],
  ['shop/shop/redirect', '"status":308', '"status":200'],
  ['shop/shop/redirect', '"port":8443', '"port":65536'],
  ['shop/shop/respond', '["pong"]', '[]'],
  ['shop/shop/respond', '"pong"', JSON.stringify('p'.repeat(65_537))],
  ['shop/shop/reject', '"cause":"policy-invalid"', '"cause":"because"'],
  ['shop/shop/aggregate', '"dependsOn":["order"]', '"dependsOn":["stock"]'],
  ['shop/shop/aggregate', '"name":"stock"', '"name":"order"'],
  ['shop/shop/aggregate', '{"left":0}', `${'['.repeat(65)}${']'.repeat(65)}`],
  ['shop/shop/aggregate', '{"left":0}', '1e999'],
  ['shop/auth/readers', '"status":403', '"status":200'],
  ['partners/acme-1', 'a'.repeat(64), 'A'.repeat(64)],
  ['shop/pepper:key', 'cGVwcGVy', 'cGVwcGVy='],
  ['shop/books:80', '"http"', '"https"'],
]

test('what is beyond a limit of the contract is refused', () => {
  for (const [key, from, to] of BEYOND) {
    const text = textOf(key)
    assert.ok(text.includes(from), `${key} has no ${from}`)
    assert.notEqual(checkObject(JSON.parse(text.replace(from, to))), null, `${key}: ${to}`)
  }
})

test('a call may depend only on calls that stand before it', () => {
  const text = textOf('shop/shop/aggregate').replace('"dependsOn":["order"]', '"dependsOn":["x"]')
  assert.deepEqual(checkObject(JSON.parse(text)), {
    path: '.value.action.calls',
    sentence: 'has "stock" before a call that it depends on',
  })
})

test('deeply nested trees are refused instead of exhausting the stack', () => {
  const deep = `${'{"kind":"list","items":['.repeat(10_000)}${']}'.repeat(10_000)}`
  const text = textOf('shop/shop/aggregate').replace(
    '"body":{"kind":"template","template":[{"expr":"calls.order.body"}]}',
    `"body":${deep}`,
  )
  assert.match(checkObject(JSON.parse(text))?.sentence ?? '', /nested deeper/)
})

test('a problem names its place and shows nothing of a secret', () => {
  const object = JSON.parse(textOf('shop/pepper:key').replace('cGVwcGVy', 'topsecret'))
  assert.deepEqual(checkObject(object), { path: '.value.base64', sentence: 'must be base64' })
  const rule = JSON.parse(textOf('shop/shop/full').replace('"end":"exact"', '"end":"soon"'))
  assert.deepEqual(checkObject(rule), {
    path: '.value.matches[0].path.end',
    sentence: 'must be one of exact, below',
  })
})

/** Objects that nothing else in the samples refers to. */
const UNREFERENCED = new Set([
  'apiKey partners/acme-1',
  'backend shop/books:80@shop/books',
  'host shop.example.com',
  'rule shop/shop/respond',
  'rule shop/shop/redirect',
  'rule shop/shop/reject',
])

test('a reference that does not resolve is found, whatever its kind', () => {
  for (const object of SAMPLES) {
    const id = objectId(object.kind, object.key)
    const found = check(tableOf(SAMPLES.filter((other) => other !== object)))
    assert.equal(found === null, UNREFERENCED.has(id), id)
  }
  assert.match(check(new Map())?.sentence ?? '', /0 gateways/)
})

test('a host that names a match which its rule lost is found', () => {
  const rule = SAMPLES.find(({ key }) => key === 'shop/shop/full')
  assert.ok(rule?.kind === 'rule')
  const shorter: TableObject = {
    ...rule,
    value: { ...rule.value, matches: rule.value.matches.slice(1) },
  }
  const table = tableOf(SAMPLES.map((object) => (object === rule ? shorter : object)))
  assert.match(check(table)?.sentence ?? '', /names match 2/)
  assert.equal(reach(rule, shorter), 'others')
  assert.equal(reach(shorter, rule), 'self')
})

test('references of one object are looked up, not the rest of the table', () => {
  for (const object of SAMPLES) {
    assert.equal(
      checkReferences(object, (kind, key) => tableOf(SAMPLES).get(objectId(kind, key))),
      null,
    )
  }
})
