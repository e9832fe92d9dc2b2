/**
 * Proves rate-slots.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { keyOf } from './fake/hammer.ts'
import { memory } from './fake/limit.ts'
import { hammerTogether } from './fake/threads.ts'
import { NO_SLOT, RateSlots } from './rate-slots.ts'

function slots(rateSlots: number): RateSlots {
  const { rates, header } = memory({ rateSlots })
  return new RateSlots(rates[0], new Int32Array(header))
}

test('threads that race for one key find one slot', async () => {
  const keys = 20_000
  const task = { kind: 'claim', keys } as const
  const { results } = await hammerTogether(memory({ columns: 4 }), task, { threads: 4, ms: 700 })
  const admitted = results.reduce((sum, one) => sum + one.admitted, 0)
  // a bucket of one, of which each key has one: a second slot would admit it twice
  assert.ok(admitted > 0 && admitted <= keys, `${admitted} of ${keys}`)
})

test('a key is found again, another is not, and each has a slot of its own', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(10_000), { maxLength: 32 }), (keys) => {
      const table = slots(64)
      const found = keys.map((n) => table.claim(keyOf(n).words, 'whileRoom'))
      assert.equal(new Set(found).size, keys.length)
      for (const [i, n] of keys.entries()) {
        assert.equal(table.claim(keyOf(n).words, 'whileRoom'), found[i])
        assert.equal(table.find(keyOf(n).words), found[i])
        const words = new Int32Array(4)
        assert.equal(table.readKey(found[i] ?? 0, words), true)
        assert.deepEqual(words, keyOf(n).words)
      }
      assert.equal(table.find(keyOf(10_001).words), NO_SLOT)
    }),
  )
})

test('at half load there is room for those who were there before only', () => {
  const table = slots(64)
  for (let n = 0; n < 32; n++) assert.notEqual(table.claim(keyOf(n).words, 'whileRoom'), NO_SLOT)
  assert.equal(table.claim(keyOf(99).words, 'whileRoom'), NO_SLOT)
  assert.notEqual(table.claim(keyOf(3).words, 'whileRoom'), NO_SLOT)
  assert.notEqual(table.claim(keyOf(99).words, 'always'), NO_SLOT)
})

test('a key that a thread left half-written is finished by the next of its own', () => {
  const { rates, header } = memory({ rateSlots: 64 })
  const table = new RateSlots(rates[0], new Int32Array(header))
  const { words } = keyOf(7)
  const slot = table.claim(words, 'whileRoom')
  const keys = new Int32Array(rates[0].keys)
  keys.fill(0, slot * 4 + 2, slot * 4 + 4)
  assert.equal(table.readKey(slot, new Int32Array(4)), false)
  assert.equal(table.claim(words, 'whileRoom'), slot)
  assert.equal(table.readKey(slot, new Int32Array(4)), true)
  // one with the same beginning goes on to the next slot
  const near = Int32Array.from(words)
  near[3] = (near[3] ?? 0) ^ 0x7777
  assert.equal(table.claim(near, 'whileRoom'), (slot + 1) % 64)
})

test('a slot that is cleared is clear', () => {
  const table = slots(64)
  const slot = table.claim(keyOf(1).words, 'whileRoom')
  table.moments[slot] = 5n
  assert.equal(table.isClear(slot), false)
  table.clear(slot)
  assert.equal(table.isClear(slot), true)
  assert.equal(table.find(keyOf(1).words), NO_SLOT)
})
