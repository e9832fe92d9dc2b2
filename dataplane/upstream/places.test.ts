/**
 * Proves who gets which place in the shared counts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { createUpstreamMemory, NO_PLACE, UpstreamCounts } from './counts.ts'
import { Places } from './places.ts'

function setOf(backend: string, ports: readonly number[]) {
  const endpoints = ports.map((port) => ({ address: '10.0.0.1', port, zone: null }))
  return { backend, version: 1, endpoints }
}

test('no two that are in use have one place, and who stays keeps his', () => {
  const ports = fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 6 })
  const step = fc.record({ backend: fc.constantFrom('a', 'b'), ports })
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      let nowMs = 0
      const places = new Places(createUpstreamMemory(1, 64), () => nowMs)
      const held = new Map<string, Map<string, number>>()
      for (const { backend, ports: some } of steps) {
        nowMs += 61_000
        const set = places.place(setOf(backend, some))
        const before = held.get(backend)
        const mine = new Map([['', set.place]])
        for (const [i, place] of set.places.entries()) mine.set(String(some[i]), place)
        for (const [key, place] of mine) assert.equal(before?.get(key) ?? place, place)
        held.set(backend, mine)
        const all = [...held.values()].flatMap((own) => [...own.values()])
        assert.equal(new Set(all).size, all.length)
      }
    }),
  )
})

test('a place goes to another only once nobody uses it', () => {
  let nowMs = 0
  const memory = createUpstreamMemory(1, 3)
  const counts = new UpstreamCounts(memory, 0)
  const places = new Places(memory, () => nowMs)
  const [one] = places.place(setOf('a', [1])).places
  assert.ok(one !== undefined)
  counts.add(one, 'attempts', 1)
  places.place(setOf('a', []))
  nowMs = 61_000
  assert.equal(places.place(setOf('a', [2])).places[0], 2)
  assert.equal(places.place(setOf('a', [2, 3])).places[1], NO_PLACE)
  counts.add(one, 'attempts', -1)
  nowMs = 130_000
  assert.equal(places.place(setOf('a', [2, 4])).places[1], one)
})

test('backends that leave the table give their places back', () => {
  let nowMs = 0
  const places = new Places(createUpstreamMemory(1, 2), () => nowMs)
  places.place(setOf('a', [1]))
  places.keep(new Set())
  assert.equal(places.place(setOf('b', [])).place, NO_PLACE)
  nowMs = 61_000
  assert.notEqual(places.place(setOf('c', [])).place, NO_PLACE)
})
