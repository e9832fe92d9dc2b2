/**
 * Proves bucket-name.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CelValue } from '../runtime/expression-types.ts'
import { Double, Timestamp, Uint } from '../runtime/expression-values.ts'
import { bucketValue, createBucketNames } from './bucket-name.ts'
import { limit, prepared, SECRET } from './fake/limit.ts'

const scalar = fc.oneof(fc.string({ minLength: 1 }), fc.boolean(), fc.integer(), fc.bigInt())
const values: fc.Arbitrary<CelValue> = fc.oneof(
  scalar,
  fc.array(fc.oneof(scalar, fc.array(scalar))),
)

test('different limits and values have different buckets', () => {
  const names = createBucketNames(SECRET)
  const limits = prepared(limit({ name: 'a' }), limit({ name: 'b' }))
  const seen = new Map<string, string>()
  fc.assert(
    fc.property(fc.nat(1), fc.nat(2), values, (which, rate, value) => {
      const text = bucketValue(value)
      const one = limits[which]
      assert.ok(text !== null && one !== undefined)
      const words = names.key(one, rate, text).words.join()
      const bucket = JSON.stringify([which, rate, text])
      assert.equal(seen.get(words) ?? bucket, bucket)
      seen.set(words, bucket)
    }),
  )
})

test('text of a value tells it from every other', () => {
  fc.assert(
    fc.property(values, values, (one, other) => {
      const plain = (value: CelValue): string =>
        JSON.stringify(value, (_, part: unknown) =>
          typeof part === 'bigint' || typeof part === 'number' ? `number ${part}` : part,
        )
      assert.equal(bucketValue(one) === bucketValue(other), plain(one) === plain(other))
    }),
  )
})

test('what is no value has no bucket', () => {
  for (const value of [
    null,
    '',
    ['a', null],
    ['a', ''],
    { a: 1 },
    new Timestamp(1, 0),
    new Uint8Array(1),
  ]) {
    assert.equal(bucketValue(value), null)
  }
  assert.equal(bucketValue(new Double(2)), bucketValue(2))
  assert.equal(bucketValue(new Uint(2n)), bucketValue(2))
})

test('another process has other buckets, and no word is one that the tables keep', () => {
  const [one] = prepared(limit())
  assert.ok(one)
  const ours = createBucketNames(SECRET).key(one, 0, 's1')
  const theirs = createBucketNames([1, 2, 3, 4]).key(one, 0, 's1')
  assert.notDeepEqual(ours.words, theirs.words)
  assert.deepEqual(createBucketNames(SECRET).key(one, 0, 's1'), ours)
  for (const word of ours.words) assert.ok(word !== 0 && word !== 1)
})
