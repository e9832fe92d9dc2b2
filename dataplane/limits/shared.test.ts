/**
 * Proves shared.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyOf } from './fake/hammer.ts'
import { SECRET } from './fake/limit.ts'
import { GaugeTable, REFUSED } from './gauge-table.ts'
import { createLimitMemory } from './shared.ts'

test('what a dead worker held is free again', () => {
  const memory = createLimitMemory({ columns: 3 }, SECRET)
  const [one, two, three] = [0, 1, 2].map((column) => new GaugeTable(memory, column))
  assert.ok(one && two && three)
  for (const table of [one, one, two, three]) assert.notEqual(table.take(keyOf(1), 4), REFUSED)
  assert.equal(three.take(keyOf(1), 4), REFUSED)
  two.clearColumn(0)
  assert.notEqual(three.take(keyOf(1), 4), REFUSED)
  assert.notEqual(three.take(keyOf(1), 4), REFUSED)
  assert.equal(three.take(keyOf(1), 4), REFUSED)
})

test('it goes to another thread as it is', () => {
  const memory = createLimitMemory({ columns: 1, rateSlots: 64, gaugeSlots: 16 }, SECRET)
  const there = structuredClone(memory)
  assert.notEqual(new GaugeTable(there, 0).take(keyOf(1), 1), REFUSED)
  assert.equal(new GaugeTable(memory, 0).take(keyOf(1), 1), REFUSED)
})
