/**
 * Proves when endpoints are taken out of use, and when they come back.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Health } from '#wire/delivery'
import { createUpstreamMemory } from './counts.ts'
import { UpstreamMarks } from './marks.ts'
import { OutlierKeeper, outMax } from './outliers.ts'

const KEY = 'shop/books:80@shop/books'
const HEALTH: Health = {
  outliers: { errors: 3, ejectionMs: 1_000, ejectionMaxMs: 2_500, outMaxPerMille: 500 },
  panicPerMille: 0,
}

interface Under {
  readonly keeper: OutlierKeeper
  readonly marks: UpstreamMarks
  /** And has a look. */
  readonly after: (ms: number) => void
  readonly fail: (place: number, times: number) => void
  /** Places that are out for workers. */
  readonly out: () => readonly number[]
}

function under(count: number, outliers: Partial<Health['outliers']> = {}, panic = 0): Under {
  const memory = createUpstreamMemory(1, 32)
  const marks = new UpstreamMarks(memory)
  let nowMs = 100_000
  const keeper = new OutlierKeeper(memory, () => nowMs)
  const places = Array.from({ length: count }, (_, i) => i + 1)
  const endpoints = places.map((port) => ({ address: '10.0.0.1', port, zone: null }))
  keeper.backend(KEY, { outliers: { ...HEALTH.outliers, ...outliers }, panicPerMille: panic })
  keeper.endpoints({ backend: KEY, version: 1, endpoints, place: 0, places })
  return {
    keeper,
    marks,
    after(ms) {
      nowMs += ms
      keeper.look()
    },
    fail(place, times) {
      for (let i = 0; i < times; i++) marks.saw(place, 'gatewayError')
    },
    out: () => places.filter((place) => marks.standing(place) === 'out'),
  }
}

test('an endpoint that fails in a row is out, and comes back', () => {
  const { after, fail, out, marks, keeper } = under(3)
  fail(1, 2)
  marks.saw(1, 'answer')
  fail(1, 2)
  after(0)
  assert.deepEqual(out(), [])
  fail(1, 1)
  after(0)
  assert.deepEqual([out(), keeper.out], [[1], 1])
  after(999)
  assert.deepEqual(out(), [1])
  after(1)
  assert.deepEqual([out(), keeper.out], [[], 0])
  after(5)
  assert.deepEqual(out(), [], 'its row has begun anew')
})

test('each ejection is longer than the one before, up to the longest', () => {
  const { after, fail, out } = under(2)
  for (const lastsMs of [1_000, 2_000, 2_500, 2_500]) {
    fail(1, 3)
    after(0)
    after(lastsMs - 1)
    assert.deepEqual(out(), [1], `${lastsMs}`)
    after(1)
    assert.deepEqual(out(), [])
  }
  after(2_501)
  fail(1, 3)
  after(0)
  after(1_000)
  assert.deepEqual(out(), [], 'it was good for long')
})

test('errors of the gateway have a bound of their own', () => {
  const { after, fail, out, marks } = under(4, { errors: 5, gatewayErrors: 2 })
  fail(1, 2)
  for (let i = 0; i < 4; i++) marks.saw(2, 'error')
  after(0)
  assert.deepEqual(out(), [1])
  marks.saw(2, 'error')
  after(0)
  assert.deepEqual(out(), [1, 2])
})

test('a share of failures takes an endpoint out, but not of a handful of answers', () => {
  const { after, out, marks } = under(4, { errors: 1_000, successPerMille: 800 })
  after(0)
  for (let i = 0; i < 40; i++) marks.saw(1, i % 3 === 0 ? 'error' : 'answer')
  for (let i = 0; i < 40; i++) marks.saw(2, i % 8 === 0 ? 'error' : 'answer')
  for (let i = 0; i < 6; i++) marks.saw(3, 'error')
  after(10_000)
  assert.deepEqual(out(), [1])
  after(1_000)
  assert.deepEqual(out(), [])
  after(10_000)
  assert.deepEqual(out(), [], 'what was seen before does not count again')
})

test('only a share is out, and where too few are left, none is', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 0, max: 1000 }),
      fc.integer({ min: 0, max: 1000 }),
      fc.array(fc.integer({ min: 1, max: 9 })),
      (count, outMaxPerMille, panic, failing) => {
        const { after, fail, out, keeper } = under(count, { outMaxPerMille }, panic)
        for (const place of failing) if (place <= count) fail(place, 3)
        after(0)
        const bad = new Set(failing.filter((place) => place <= count)).size
        const expected = Math.min(bad, outMax(count, outMaxPerMille))
        assert.equal(keeper.out, expected)
        const left = (count - expected) / count
        assert.equal(out().length, left < panic / 1000 ? 0 : expected)
      },
    ),
  )
})

test('an endpoint alone is never out, nor one of a backend that is no longer watched', () => {
  const alone = under(1)
  alone.fail(1, 9)
  alone.after(0)
  assert.deepEqual(alone.out(), [])
  const { keeper, after, fail, out } = under(3)
  fail(1, 3)
  after(0)
  keeper.backend(KEY, null)
  assert.deepEqual([out(), keeper.out], [[], 0])
  keeper.keep(new Map())
  after(1)
  assert.deepEqual(out(), [])
})
