/**
 * Header lists as they come from a socket.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { headerLines, headerValue, isSameName, withoutHeader } from './headers.ts'

test('a header is found in every case, and repeated lines are one value', () => {
  const headers = ['Accept', 'a', 'X-One', '1', 'accept', 'b', 'Cookie', 'c=1', 'COOKIE', 'd=2']
  assert.equal(headerValue(headers, 'accept'), 'a, b')
  assert.equal(headerValue(headers, 'x-one'), '1')
  assert.equal(headerValue(headers, 'cookie'), 'c=1; d=2')
  assert.equal(headerValue(headers, 'x-two'), null)
  assert.deepEqual(headerLines(headers, 'accept'), ['a', 'b'])
  assert.deepEqual(withoutHeader(headers, 'accept'), headers.slice(2, 4).concat(headers.slice(6)))
  assert.equal(withoutHeader(headers, 'x-two'), headers)
})

test('names are compared as toLowerCase compares them, for ASCII', () => {
  const names = fc.string({
    unit: fc.constantFrom('a', 'A', 'z', 'Z', '-', '_', '@', '['),
    maxLength: 4,
  })
  fc.assert(
    fc.property(names, names, (one, other) => {
      const lower = other.toLowerCase()
      assert.equal(isSameName(one, lower), one.toLowerCase() === lower)
    }),
  )
})
