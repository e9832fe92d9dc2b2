/**
 * Proves how endpoints take turns.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Balance, type Balanced } from './balance.ts'

interface Fake extends Balanced {
  readonly key: string
  mood: 'good' | 'penalised'
  load: number
}

function endpointsOf(count: number): Fake[] {
  return Array.from({ length: count }, (_, i) => {
    const endpoint: Fake = {
      key: String(i),
      mood: 'good',
      load: 0,
      standing: () => endpoint.mood,
      underWay: () => endpoint.load,
    }
    return endpoint
  })
}

test('every endpoint gets its share, whatever order they came in', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (count, drawn) => {
        const balance = new Balance(endpointsOf(count), () => drawn)
        const counts = new Map<string, number>()
        for (let i = 0; i < count * 3; i++) {
          const key = balance.pick(0, [])?.key ?? 'none'
          counts.set(key, (counts.get(key) ?? 0) + 1)
        }
        assert.deepEqual(
          [...counts.values()],
          Array.from({ length: count }, () => 3),
        )
      },
    ),
  )
})

test('an endpoint that refused connections is passed over, unless all did', () => {
  const endpoints = endpointsOf(3)
  const balance = new Balance(endpoints, () => 0)
  for (const endpoint of endpoints.slice(0, 2)) endpoint.mood = 'penalised'
  for (let i = 0; i < 5; i++) assert.equal(balance.pick(0, [])?.key, '2')
  for (const endpoint of endpoints) endpoint.mood = 'penalised'
  const tried = new Set(Array.from({ length: 6 }, () => balance.pick(0, [])?.key))
  assert.equal(tried.size, 3)
})

test('of two, the one with less under way takes it', () => {
  const endpoints = endpointsOf(2)
  const [busy, free] = endpoints
  assert.ok(busy !== undefined && free !== undefined)
  const balance = new Balance(endpoints, () => 0)
  busy.load = 3
  free.load = 2
  for (let i = 0; i < 4; i++) assert.equal(balance.pick(0, []), free)
  assert.equal(balance.pick(0, [free]), busy)
  free.mood = 'penalised'
  assert.equal(balance.pick(0, []), busy)
})

test('the endpoint with the most under way gets nothing, and what is slow gets less', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 8 }),
      fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
      (count, draws) => {
        const endpoints = endpointsOf(count)
        const balance = new Balance(endpoints, () => draws.next().value ?? 0)
        // Nothing ever ends: whoever is behind catches up, so that loads stay close together.
        for (let i = 0; i < 40 * count; i++) {
          const most = Math.max(...endpoints.map(({ load }) => load))
          const picked = balance.pick(0, [])
          assert.ok(picked !== null)
          const alone = endpoints.filter(({ load }) => load === most).length === 1
          assert.ok(!(alone && most > 0 && picked.load === most))
          picked.load++
        }
      },
    ),
  )
})

test('no endpoint is tried twice for one request', () => {
  const endpoints = endpointsOf(3)
  const balance = new Balance(endpoints, () => 0.5)
  const tried: Fake[] = []
  for (let i = 0; i < 3; i++) {
    const next = balance.pick(0, tried)
    assert.ok(next !== null && !tried.includes(next))
    tried.push(next)
  }
  assert.equal(balance.pick(0, tried), null)
  assert.equal(new Balance([], () => 0).pick(0, []), null)
})
