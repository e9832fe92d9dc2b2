/**
 * Reading foreign objects: nothing in them can make a compile step throw.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { fieldsOf, itemsOf, portOf, textOf } from './content.ts'

test('what is missing or of another type counts as absent', () => {
  assert.deepEqual(fieldsOf(null), {})
  assert.deepEqual(fieldsOf(['a']), {})
  assert.deepEqual(fieldsOf({ a: 1 }), { a: 1 })
  assert.deepEqual(itemsOf({ length: 1 }), [])
  assert.deepEqual(itemsOf([1]), [1])
  assert.equal(textOf(''), null)
  assert.equal(textOf(7), null)
  assert.equal(textOf('a'), 'a')
})

test('a port is an integer between 1 and 65535', () => {
  for (const bad of [0, -1, 65_536, 1.5, '80', Number.NaN, null]) assert.equal(portOf(bad), null)
  assert.equal(portOf(65_535), 65_535)
})

test('no value at all makes a reader throw', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      fieldsOf(value)
      itemsOf(value)
      textOf(value)
      portOf(value)
    }),
  )
})
