/**
 * Proves descriptors.ts. What happens when they are used up is proved by test/crash/process.test.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { connectionsMax, descriptorLimit } from './descriptors.ts'

test('connections leave descriptors for everything else', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 256, max: 2 ** 20 }),
      fc.integer({ min: 1, max: 8 }),
      (n, workers) => {
        const each = connectionsMax(n, workers)
        assert.ok(each >= 1)
        assert.ok(each * workers * 2 + 64 + 16 * workers <= n || each === 1)
      },
    ),
  )
  assert.equal(connectionsMax(2 ** 20, 4), 16_384)
  assert.equal(connectionsMax(Number.POSITIVE_INFINITY, 4), 16_384)
  assert.equal(connectionsMax(10, 4), 1)
})

test('the limit is read from the system', () => {
  const text = 'Limit  Soft Limit  Hard Limit\nMax open files            1024        4096   files\n'
  assert.equal(
    descriptorLimit(() => text),
    1024,
  )
  const none = (): string => {
    throw new Error('no such file')
  }
  assert.equal(descriptorLimit(none), Number.POSITIVE_INFINITY)
  assert.ok(descriptorLimit() > 0)
})
