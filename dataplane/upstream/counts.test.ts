/**
 * Proves the counts that all workers share.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { createUpstreamMemory, NO_PLACE, UpstreamCounts } from './counts.ts'

test('a sum is what all columns hold', () => {
  const step = fc.record({
    column: fc.integer({ min: 0, max: 2 }),
    place: fc.integer({ min: 0, max: 3 }),
    field: fc.constantFrom('attempts', 'extra'),
    amount: fc.constantFrom(1, -1),
  })
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const memory = createUpstreamMemory(3, 4)
      const workers = [0, 1, 2].map((column) => new UpstreamCounts(memory, column))
      const plain = new Map<string, number>()
      for (const { column, place, field, amount } of steps) {
        workers[column]?.add(place, field, amount)
        const key = `${place} ${field}`
        plain.set(key, (plain.get(key) ?? 0) + amount)
      }
      for (const [key, sum] of plain) {
        const [place, field] = key.split(' ')
        const seen = workers[0]?.sum(Number(place), field === 'extra' ? 'extra' : 'attempts')
        assert.equal(seen, sum)
      }
    }),
  )
})

test('a worker that is gone takes what it had under way with it', () => {
  const memory = createUpstreamMemory(2, 2)
  const [one, other] = [new UpstreamCounts(memory, 0), new UpstreamCounts(memory, 1)]
  one.add(1, 'attempts', 1)
  other.add(1, 'attempts', 1)
  one.clearColumn(1)
  assert.equal(one.sum(1, 'attempts'), 1)
})

test('who has no place counts nothing', () => {
  const counts = new UpstreamCounts(createUpstreamMemory(1, 1), 0)
  counts.add(NO_PLACE, 'attempts', 1)
  assert.deepEqual([counts.sum(NO_PLACE, 'attempts'), counts.sum(0, 'attempts')], [0, 0])
})
