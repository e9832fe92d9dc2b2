/**
 * Paths of calls: their structure comes from the text that the user wrote, and from nothing else.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseCallPath } from './call-path.ts'
import type { Within } from './expression.ts'
import { FieldPath } from './problem.ts'

const AT = new FieldPath<string>('spec.path')
const WITHIN: Within = { place: 'aggregate', calls: ['order'], locals: ['line'] }
const SKU = { expr: 'line.sku' }

function path(text: string): unknown {
  const { value, problems } = parseCallPath(text, AT, WITHIN)
  return value ?? problems.map((problem) => problem.sentence)
}

test('only literal text makes structure', () => {
  assert.deepEqual(path('/stock/${line.sku}'), { segments: [['stock'], [SKU]], query: [] })
  assert.deepEqual(path('/a-${line.sku}.json/'), {
    segments: [['a-', SKU, '.json'], ['']],
    query: [],
  })
  assert.deepEqual(path('/'), { segments: [['']], query: [] })
  assert.deepEqual(path('/a?x=1&${line.sku}=${line.sku}b&flag&&u=a=b?c'), {
    segments: [['a']],
    query: [
      { name: ['x'], value: ['1'] },
      { name: [SKU], value: [SKU, 'b'] },
      { name: ['flag'], value: [''] },
      { name: ['u'], value: ['a=b?c'] },
    ],
  })
  assert.deepEqual(path('/a/${"/?#&".size() > 2 ? line.sku : "b/c"}'), {
    segments: [['a'], [{ expr: '"/?#&".size() > 2 ? line.sku : "b/c"' }]],
    query: [],
  })
})

test('literal text is brought into its one form', () => {
  assert.deepEqual(path('/%61b/c%2d'), { segments: [['ab'], ['c-']], query: [] })
})

test('a path that is none says why', () => {
  const slash = ['The path must start with a literal slash, as /orders.']
  assert.deepEqual(path('orders'), slash)
  assert.deepEqual(path('${line.path}'), slash)
  assert.deepEqual(path('?a=b'), slash)
  assert.deepEqual(path('/a#b'), ['A path has no fragment; remove the #.'])
  const dots = ['The path must not hold the segments . and ..; write it out.']
  assert.deepEqual(path('/a/../b'), dots)
  assert.deepEqual(path('/a//b'), ['An empty segment is allowed only at the end of the path.'])
  assert.equal(parseCallPath('/a?b=c d', AT, WITHIN).value, null)
  assert.equal(parseCallPath('/a?b=%zz', AT, WITHIN).value, null)
  assert.equal(parseCallPath('/a b', AT, WITHIN).value, null)
  assert.equal(parseCallPath('/${lin.sku}', AT, WITHIN).value, null)
})

test('no text makes a path throw', () => {
  const piece = fc.constantFrom('/', '?', '&', '=', '#', '${line.sku}', '%', '..', 'a', '${')
  const texts = fc.array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 12 })
  fc.assert(
    fc.property(texts, (all) => {
      const { value, problems } = parseCallPath(`/${all.join('')}`, AT, WITHIN)
      assert.equal(value === null, problems.length > 0)
      if (value !== null) assert.ok(value.segments.length > 0)
    }),
    { numRuns: 2000 },
  )
})
