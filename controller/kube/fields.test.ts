/**
 * Fields of JSON that somebody else wrote.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRecord } from '../../crds/inspect.ts'
import { at, listAt, numberAt, textAt } from './fields.ts'

const VALUE = { metadata: { name: 'x', generation: 3 }, items: [1], none: null, text: '' }

test('what is absent or of another type is null, at every level', () => {
  assert.equal(textAt(VALUE, 'metadata', 'name'), 'x')
  assert.equal(textAt(VALUE, 'text'), '')
  assert.equal(numberAt(VALUE, 'metadata', 'generation'), 3)
  assert.deepEqual(listAt(VALUE, 'items'), [1])
  for (const path of [['nobody'], ['none'], ['none', 'x'], ['items', '0', 'x'], ['metadata']]) {
    assert.equal(textAt(VALUE, ...path), null)
    assert.equal(numberAt(VALUE, ...path), null)
    assert.deepEqual(listAt(VALUE, ...path), [])
  }
  assert.equal(at(undefined, 'x'), undefined)
  assert.deepEqual([{}, [], null, 'x'].map(isRecord), [true, false, false, false])
})
