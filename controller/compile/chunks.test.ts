/**
 * Lists of keys in pieces, over generated lists.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { chunksOf, keepChunks } from './chunks.ts'

const keys = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 6 }), {
  maxLength: 500,
  size: 'max',
})

test('a key that comes or goes changes one piece', () => {
  fc.assert(
    fc.property(keys, fc.string(), (list, key) => {
      const before = chunksOf(list)
      const after = chunksOf(
        list.includes(key) ? list.filter((one) => one !== key) : [...list, key],
      )
      if (before.length !== after.length) return
      const kept = keepChunks(before, after)
      assert.equal(kept.filter((chunk, i) => chunk !== before[i]).length, 1)
      assert.deepEqual(kept, after)
    }),
  )
})

test('pieces hold every key once, and the same keys make the same list', () => {
  fc.assert(
    fc.property(keys, (list) => {
      const chunks = chunksOf(list)
      assert.deepEqual(chunks.flat().toSorted(), list.toSorted())
      assert.equal(keepChunks(chunks, chunksOf([...list])), chunks)
    }),
  )
})
