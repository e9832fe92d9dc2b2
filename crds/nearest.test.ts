/**
 * Suggestions: near enough to help, never a guess.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { editDistance, nearest } from './nearest.ts'

const FIELDS = ['timeouts', 'match', 'backends', 'requestHeaders', 'responseHeaders', 'retry']

test('a slip is found, another word is not', () => {
  assert.equal(nearest('tiemouts', FIELDS), 'timeouts')
  assert.equal(nearest('Match', FIELDS), 'match')
  assert.equal(nearest('requestHeader', FIELDS), 'requestHeaders')
  assert.equal(nearest('backend', FIELDS), 'backends')
  assert.equal(nearest('plugins', FIELDS), null)
  assert.equal(nearest('x', FIELDS), null)
  assert.equal(nearest('a'.repeat(100_000), FIELDS), null)
})

/** By the definition, without a table. */
function plainDistance(a: string, b: string): number {
  if (a === '' || b === '') return a.length + b.length
  const replaced = plainDistance(a.slice(1), b.slice(1)) + (a[0] === b[0] ? 0 : 1)
  const one = Math.min(plainDistance(a.slice(1), b) + 1, plainDistance(a, b.slice(1)) + 1)
  const swaps = a.length > 1 && b.length > 1 && a[0] === b[1] && a[1] === b[0]
  const swapped = swaps ? plainDistance(a.slice(2), b.slice(2)) + 1 : replaced
  return Math.min(replaced, one, swapped)
}

test('the distance is what its definition says', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 })
  fc.assert(
    fc.property(word, word, (a, b) => {
      assert.equal(editDistance(a, b), plainDistance(a, b))
    }),
  )
})
