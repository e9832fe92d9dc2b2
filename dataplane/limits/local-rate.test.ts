/**
 * Proves local-rate.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LocalRate } from './local-rate.ts'

test('all data planes together never get more than the rate', () => {
  const rates = fc.record({
    count: fc.integer({ min: 1, max: 1_000_000_000 }),
    periodMs: fc.integer({ min: 1, max: 31 * 24 * 3_600_000 }),
    burst: fc.integer({ min: 1, max: 1_000_000_000 }),
  })
  fc.assert(
    fc.property(rates, fc.integer({ min: 1, max: 100 }), (rate, dataPlanes) => {
      const { intervalNs, toleranceNs } = new LocalRate(rate).parts(dataPlanes)
      const periodNs = BigInt(rate.periodMs) * 1_000_000n
      // dataPlanes / interval ≤ count / period
      assert.ok(BigInt(dataPlanes) * periodNs <= intervalNs * BigInt(rate.count))
      const burst = toleranceNs / intervalNs
      const together = burst * BigInt(dataPlanes)
      assert.ok(together <= BigInt(Math.max(rate.burst, dataPlanes)))
    }),
  )
})

test('it is divided out once for each number of data planes', () => {
  const rate = new LocalRate({ count: 60, periodMs: 60_000, burst: 20 })
  assert.equal(rate.parts(2), rate.parts(2))
  assert.equal(rate.parts(1).intervalNs, 1_000_000_000n)
  assert.equal(rate.parts(2).intervalNs, 2_000_000_000n)
  assert.equal(rate.parts(2).toleranceNs, 20_000_000_000n)
})
