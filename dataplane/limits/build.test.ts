/**
 * Proves build.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Limit } from '#wire/rate-limit'
import { FakeReader, fakeEnvironment } from '../phases/authenticate/fake/policy.ts'
import { buildLimits } from './build.ts'
import { limit, rateOf } from './fake/limit.ts'

function built(limits: readonly Limit[], reader = new FakeReader()) {
  for (const one of limits) reader.put('limit', one.name, one)
  const keys = limits.map(({ name }) => name)
  const rule = { route: 'shop/books', rule: 'shop/books/list', limits: keys }
  return buildLimits(rule, reader, fakeEnvironment())
}

test('a limit that cannot be prepared closes the rule', () => {
  const when = 'request.('
  const broken: readonly Limit[] = [
    limit({ key: when }),
    limit({ when }),
    limit({ measure: rateOf(1, 1, { cost: when }) }),
    limit({
      measure: { ...rateOf(1, 1), rates: [{ when, rate: { count: 1, periodMs: 1, burst: 1 } }] },
    }),
  ]
  for (const one of broken) {
    const reader = new FakeReader()
    const found = built([limit({ name: 'good' }), one], reader)
    assert.ok('kind' in found)
    assert.deepEqual([found.status, found.cause], [503, 'policy-invalid'])
    assert.equal(reader.rejected.length, 1)
  }
  const rule = { route: 'shop/books', rule: 'shop/books/list', limits: ['missing'] }
  assert.ok('kind' in buildLimits(rule, new FakeReader(), fakeEnvironment()))
})

test('limits are apart by stage, each in its order, and null where there are none', () => {
  const names = (limits: readonly { readonly limit: Limit }[] | null) =>
    limits?.map((one) => one.limit.name) ?? null
  const early = limit({ name: 'early', stage: 'beforeAuth' })
  const found = built([limit({ name: 'b' }), early, limit({ name: 'a' })])
  assert.ok(!('kind' in found))
  assert.deepEqual(names(found.beforeAuth), ['early'])
  assert.deepEqual(names(found.afterAuth), ['b', 'a'])
  assert.deepEqual(built([]), { beforeAuth: null, afterAuth: null })
})

test('a bucket is the policy’s, the route’s or the rule’s', () => {
  const found = built([
    limit({ name: 'policy' }),
    limit({ name: 'route', per: 'route' }),
    limit({ name: 'rule', per: 'rule' }),
  ])
  assert.ok(!('kind' in found))
  assert.deepEqual(
    found.afterAuth?.map(({ bucket }) => bucket),
    ['policy', 'route route shop/books', 'rule rule shop/books/list'],
  )
})
