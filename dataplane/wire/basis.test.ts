/**
 * The order of bases, against big integers.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { behind, compareVersions } from '#wire/basis'

test('versions compare as integers of any length', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 80n }), fc.bigInt({ min: 0n }), (a, b) => {
      const expected = a === b ? 0 : a < b ? -1 : 1
      assert.equal(Math.sign(compareVersions(String(a), String(b))), expected)
    }),
  )
})

test('a basis is behind as soon as one type is', () => {
  const own = { ApiRoute: '1000', Secret: '99' }
  assert.equal(behind({ ApiRoute: '999', Secret: '100' }, own), 'ApiRoute')
  assert.equal(behind({ ApiRoute: '1000', Secret: '98' }, own), 'Secret')
  assert.equal(behind({ ApiRoute: '1000', Secret: '99' }, own), null)
  assert.equal(behind({ ApiRoute: '1001', Consumer: '1' }, own), null)
  assert.equal(behind({}, {}), null)
})
