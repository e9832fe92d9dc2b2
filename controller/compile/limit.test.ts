/**
 * Limits.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RateLimitPolicyPart } from '../../crds/rate-limit-policy.ts'
import { checkValue } from '#wire/check'
import type { Limit } from '#wire/rate-limit'
import { world } from './fake/world.ts'
import { compileLimitPart } from './limit.ts'
import { FieldPath } from './problem.ts'

const AT = new FieldPath<RateLimitPolicyPart>('spec')

function compile(part: RateLimitPolicyPart): ReturnType<typeof compileLimitPart> {
  return compileLimitPart(part, AT, { ...world(), policy: 'shop/limits' })
}

type Entry = NonNullable<RateLimitPolicyPart['limits']>[string]

function compiled(entry: Entry): Limit {
  const { value, problems } = compile({ limits: { a: entry } })
  assert.deepEqual(problems, [])
  const limit = value.limits.get('a')
  assert.ok(limit !== undefined)
  assert.equal(checkValue('limit', limit), null)
  return limit
}

function paths(entry: Entry): readonly string[] {
  const { value, problems } = compile({ limits: { a: entry } })
  assert.equal(value.usable, problems.length > 0 ? 'no' : 'yes')
  assert.equal(value.limits.size, problems.length > 0 ? 0 : 1)
  return problems.map(({ path }) => path.replace('spec.limits.a.', ''))
}

test('burst is the number of the rate unless it is written', () => {
  assert.deepEqual(compiled({ rate: '60/1m' }).measure, {
    kind: 'rate',
    cost: null,
    rate: { count: 60, periodMs: 60_000, burst: 60 },
    rates: [],
  })
  const limit = compiled({
    key: 'auth.consumer',
    rate: '60/1m',
    burst: 20,
    cost: 'request.path.startsWith("/export") ? 5 : 1',
    rates: [{ when: '"gold" in auth.groups', rate: '600/1m' }],
  })
  assert.deepEqual(limit.measure, {
    kind: 'rate',
    cost: 'request.path.startsWith("/export") ? 5 : 1',
    rate: { count: 60, periodMs: 60_000, burst: 20 },
    rates: [{ when: '"gold" in auth.groups', rate: { count: 600, periodMs: 60_000, burst: 600 } }],
  })
})

test('what a limit does not say has the documented default', () => {
  assert.deepEqual(compiled({ concurrency: 50 }), {
    policy: 'shop/limits',
    name: 'a',
    per: 'policy',
    stage: 'afterAuth',
    mode: 'enforce',
    key: null,
    onMissingKey: 'refuse',
    when: null,
    measure: { kind: 'concurrency', max: 50 },
  })
})

test('mode and onMissingKey of the part hold for its limits', () => {
  const { value } = compile({
    limits: { a: { rate: '1/1s', per: 'rule', stage: 'beforeAuth', key: 'request.ip' } },
    mode: 'observe',
    onMissingKey: 'shared',
  })
  const limit = value.limits.get('a')
  assert.equal(limit?.mode, 'observe')
  assert.equal(limit?.onMissingKey, 'shared')
  assert.equal(limit?.per, 'rule')
  assert.equal(limit?.stage, 'beforeAuth')
})

test('disabled entries are named, the others come by name', () => {
  const { value, problems } = compile({
    limits: { b: { rate: '1/1s' }, x: { disabled: true }, a: { rate: '1/1s' } },
  })
  assert.deepEqual(problems, [])
  assert.deepEqual([...value.limits.keys()], ['a', 'b'])
  assert.deepEqual(value.disabled, ['x'])
})

test('before authentication nobody is known', () => {
  const entry = { concurrency: 1, stage: 'beforeAuth', key: 'request.ip + auth.consumer' } as const
  const { problems } = compile({ limits: { a: entry } })
  assert.equal(problems[0]?.path, 'spec.limits.a.key')
  assert.match(problems[0]?.sentence ?? '', /before anybody is known/)
  assert.deepEqual(paths({ rate: '1/1s', stage: 'beforeAuth', when: 'plan.name == "a"' }), ['when'])
})

test('a rate that cannot be counted is refused where it stands', () => {
  for (const rate of ['0/1s', '1/0s', '60', '60/1d', '1/99999h', '2000000000/1s', 'x/1s']) {
    assert.deepEqual(paths({ rate }), ['rate'], rate)
  }
  const rates = [{ when: 'true', rate: '1/0s' }]
  assert.deepEqual(paths({ rate: '1/1s', rates }), ['rates[0].rate'])
})

test('expressions are checked where they stand', () => {
  assert.deepEqual(paths({ rate: '1/1s', key: 'calls.a.body' }), ['key'])
  assert.deepEqual(paths({ rate: '1/1s', when: 'request.path' }), ['when'])
  assert.deepEqual(paths({ rate: '1/1s', cost: 'request.' }), ['cost'])
  assert.deepEqual(paths({ rate: '1/1s', rates: [{ when: 'x', rate: '1/1s' }] }), ['rates[0].when'])
})

test('a limit counts one thing, and in a way that is supported', () => {
  assert.deepEqual(compile({ limits: { a: {} } }).problems[0]?.path, 'spec.limits.a')
  assert.deepEqual(paths({ concurrency: 1, cost: '2' }), ['cost'])
  const { value, problems } = compile({ limits: { a: { rate: '1/1s', accuracy: 'exact' } } })
  assert.equal(problems[0]?.reason, 'NotSupportedYet')
  assert.equal(value.usable, 'no')
  assert.deepEqual(paths({ rate: '1/1s', accuracy: 'local' }), [])
})
