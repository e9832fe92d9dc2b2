/**
 * Proves gauge-table.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { keyOf } from './fake/hammer.ts'
import { memory } from './fake/limit.ts'
import { hammerTogether } from './fake/threads.ts'
import { GaugeTable, REFUSED } from './gauge-table.ts'

test('threads never hold more than the limit together', async () => {
  const tight = memory({ columns: 4, gaugeSlots: 64 })
  const task = { kind: 'gauge', keys: 8, max: 3 } as const
  const { results, truth } = await hammerTogether(tight, task, { threads: 4, ms: 500 })
  assert.equal(truth[8], 0, 'more were held than the limit')
  assert.ok(results.every(({ admitted }) => admitted > 100))
  const table = new GaugeTable(tight, 0)
  for (let n = 0; n < 8; n++) assert.notEqual(table.take(keyOf(n), 1), REFUSED, 'all was released')
})

test('nor while slots are taken over from one key to another all the time', async () => {
  // many more keys than the 16 slots: each take has to take a slot over, or uses the overflow gauge
  const tight = memory({ columns: 4, gaugeSlots: 16 })
  const task = { kind: 'gauge', keys: 500, max: 2 } as const
  const { results, truth } = await hammerTogether(tight, task, { threads: 4, ms: 800 })
  assert.equal(truth[500], 0, 'more were held than the limit')
  assert.ok(results.every(({ admitted }) => admitted > 100))
  const counts = new Int32Array(tight.gauges.counts)
  assert.ok(
    counts.every((count) => count === 0),
    'all was released',
  )
})

test('it admits what a plain count admits, while there is room for every key', () => {
  const step = fc.record({
    n: fc.nat(5),
    column: fc.nat(1),
    do: fc.constantFrom('take', 'release'),
  })
  fc.assert(
    fc.property(fc.array(step), fc.integer({ min: 1, max: 3 }), (steps, max) => {
      const shared = memory({ gaugeSlots: 256 })
      const tables = [new GaugeTable(shared, 0), new GaugeTable(shared, 1)]
      const held: { readonly n: number; readonly column: number; readonly slot: number }[] = []
      for (const { n, column, do: what } of steps) {
        if (what === 'take') {
          const slot = tables[column]?.take(keyOf(n), max) ?? REFUSED
          const before = held.filter((one) => one.n === n).length
          assert.equal(slot !== REFUSED, before < max)
          if (slot !== REFUSED) held.push({ n, column, slot })
        } else {
          const one = held.shift()
          if (one !== undefined) tables[one.column]?.release(one.slot)
        }
      }
    }),
  )
})

test('a set that is full lets new keys share the overflow gauge of their limit', () => {
  const table = new GaugeTable(memory({ gaugeSlots: 16 }), 0)
  for (let n = 0; n < 16; n++) assert.notEqual(table.take(keyOf(n), 5), REFUSED)
  const slots = [table.take(keyOf(100), 2), table.take(keyOf(101), 2)]
  assert.equal(slots[0], slots[1])
  assert.equal(table.take(keyOf(102), 2), REFUSED)
  for (const slot of slots) table.release(slot)
  assert.notEqual(table.take(keyOf(102), 2), REFUSED)
})

test('an idle slot is taken over; one that is in use is not', () => {
  const table = new GaugeTable(memory({ gaugeSlots: 16 }), 0)
  const slots = Array.from({ length: 16 }, (_, n) => table.take(keyOf(n), 1))
  table.release(slots[9] ?? 0)
  assert.equal(table.take(keyOf(50), 1), slots[9])
  for (const n of [0, 8, 15, 50]) assert.equal(table.take(keyOf(n), 1), REFUSED)
})

test('a slot that a dying thread left marked still counts for its key', () => {
  const shared = memory({ gaugeSlots: 16 })
  const table = new GaugeTable(shared, 0)
  const slot = table.take(keyOf(0), 2)
  new Int32Array(shared.gauges.keys)[slot] = 1
  assert.notEqual(table.take(keyOf(0), 2), REFUSED)
  assert.equal(table.take(keyOf(0), 2), REFUSED)
})
