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
}

function endpointsOf(count: number): Fake[] {
  return Array.from({ length: count }, (_, i) => {
    const endpoint: Fake = { key: String(i), mood: 'good', standing: () => endpoint.mood }
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
