/**
 * The order of bases, against big integers.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { behind, compareVersions } from '#wire/basis'
import type { Basis } from '#wire/session'

test('versions compare as integers of any length', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 80n }), fc.bigInt({ min: 0n }), (a, b) => {
      const expected = a === b ? 0 : a < b ? -1 : 1
      assert.equal(Math.sign(compareVersions(String(a), String(b))), expected)
    }),
  )
})

const at = (basis: Basis, epoch = '0') => ({ epoch, basis })

test('a basis is behind as soon as one type is', () => {
  const own = at({ ApiRoute: '1000', Secret: '99' })
  assert.equal(behind(at({ ApiRoute: '999', Secret: '100' }), own), 'ApiRoute')
  assert.equal(behind(at({ ApiRoute: '1000', Secret: '98' }), own), 'Secret')
  assert.equal(behind(at({ ApiRoute: '1000', Secret: '99' }), own), null)
  assert.equal(behind(at({ ApiRoute: '1001', Consumer: '1' }), own), null)
  assert.equal(behind(at({}), at({})), null)
})

test('a higher epoch starts anew, a lower one is behind', () => {
  assert.equal(behind(at({ ApiRoute: '1' }, '10'), at({ ApiRoute: '2' }, '9')), null)
  assert.equal(behind(at({ ApiRoute: '2' }, '9'), at({ ApiRoute: '1' }, '10')), 'epoch')
})
