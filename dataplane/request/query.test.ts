/**
 * Queries against the platform's own reading of them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { queryPairs, queryValue, queryWithout } from './query.ts'

const queries = fc
  .array(
    fc.constantFrom('a', 'B', '=', '&', '+', '%', '%41', '%c3%a9', '%ff', '%e2%82', '%zz', '1'),
    {
      maxLength: 12,
    },
  )
  .map((pieces) => pieces.join(''))

test('a query reads as URLSearchParams reads it', () => {
  fc.assert(
    fc.property(queries, (query) => {
      const expected = [...new URLSearchParams(`&${query}`)].flat()
      assert.deepEqual(queryPairs(query), expected)
    }),
    { numRuns: 5_000 },
  )
})

test('what is taken out of a query cannot be read from it any more', () => {
  fc.assert(
    fc.property(queries, fc.constantFrom('a', 'A', 'B', '\u00e9', '', 'aB'), (query, name) => {
      const rest = queryWithout(query, [name])
      if (name !== '') assert.equal(queryValue(rest, name), null)
      const kept = [...new URLSearchParams(`&${query}`)].filter(([n]) => n !== name).flat()
      const seen = queryPairs(rest)
      if (name !== '') assert.deepEqual(seen, kept)
    }),
    { numRuns: 5_000 },
  )
})

test('no query and a name that is not there give null', () => {
  assert.equal(queryValue(null, 'a'), null)
  assert.equal(queryValue('', 'a'), null)
  assert.equal(queryValue('b=1', 'a'), null)
  assert.equal(queryValue('a', 'a'), '')
  assert.equal(queryValue('a=1&a=2', 'a'), '1')
  assert.equal(queryWithout('key=1', ['key']), null)
})
