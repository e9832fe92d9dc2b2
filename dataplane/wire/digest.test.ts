/**
 * The hash over a table, against big integers.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { EMPTY_HASH, digestText, xorOf } from '#wire/digest'

const digests = fc.array(
  fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => Buffer.from(bytes).toString('hex')),
)

function twin(list: readonly string[]): string {
  const sum = list.reduce((all, digest) => all ^ BigInt(`0x${digest}`), 0n)
  return sum.toString(16).padStart(64, '0')
}

test('a hash follows from digests in any order, and from changes alone', () => {
  fc.assert(
    fc.property(digests, digests, (before, changed) => {
      const both = [...before, ...changed]
      assert.equal(xorOf(both), twin(both))
      assert.equal(xorOf(both.toReversed()), xorOf(both))
      assert.equal(xorOf([xorOf(before), ...changed]), xorOf(both))
      assert.equal(xorOf([xorOf(both), ...changed]), xorOf(before))
    }),
  )
  assert.equal(xorOf([]), EMPTY_HASH)
})

test('a digest covers kind, key, sources and value in this order', () => {
  const sources = [{ kind: 'ApiKey', name: 'a/b', uid: 'u', generation: 1 }]
  const value = { consumer: 'a/c', sha256: '', format: 'fairlead', expiresAtMs: null } as const
  assert.equal(
    digestText({ kind: 'apiKey', key: 'a/b', sources, value }),
    `["apiKey","a/b",${JSON.stringify(sources)},${JSON.stringify(value)}]`,
  )
})
