/**
 * Proves gcra.ts, and that gcra-plain.ts is its twin.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Rate } from '#wire/rate-limit'
import { PlainBucket } from './gcra-plain.ts'
import { backlogNs, costNs, localPart, rateParts, remaining, taken, waitNs } from './gcra.ts'

const NS_PER_MS = 1_000_000n

/** A bucket as the tables keep it: one moment. */
class Bucket {
  #fullAtNs = 0n
  readonly parts
  constructor(rate: Rate, dataPlanes = 1) {
    this.parts = rateParts(rate, dataPlanes)
  }
  take(nowNs: bigint, cost: number): 'admitted' | 'refused' {
    const after = taken(this.backlog(nowNs), costNs(cost, this.parts), this.parts)
    if (after === null) return 'refused'
    this.#fullAtNs = nowNs + after
    return 'admitted'
  }
  backlog(nowNs: bigint): bigint {
    return backlogNs(this.#fullAtNs, nowNs, this.parts)
  }
}

const anyRate = fc.record({
  count: fc.integer({ min: 1, max: 10_000 }),
  periodMs: fc.integer({ min: 1, max: 100_000 }),
  burst: fc.integer({ min: 1, max: 50 }),
})
/** Rates whose interval is a whole number of nanoseconds: nothing is rounded. */
const evenRate = fc.record({
  count: fc.constantFrom(1, 2, 5, 10, 100, 1000),
  periodMs: fc.integer({ min: 1, max: 60_000 }),
  burst: fc.integer({ min: 1, max: 20 }),
})
const gaps = fc.array(
  fc.record({
    gapNs: fc.oneof(
      fc.constant(0n),
      fc.bigInt({ min: 0n, max: 1_000n }),
      fc.bigInt({ min: 0n, max: 10_000n * NS_PER_MS }),
    ),
    cost: fc.constantFrom(0, 1, 1, 1, 2, 5),
  }),
  { maxLength: 60 },
)

test('no window ever admits more than rate and burst', () => {
  fc.assert(
    fc.property(anyRate, gaps, fc.integer({ min: 1, max: 5 }), (rate, steps, dataPlanes) => {
      const bucket = new Bucket(rate, dataPlanes)
      const burst = localPart(rate.burst, dataPlanes)
      const admitted: { readonly atNs: bigint; readonly cost: number }[] = []
      let nowNs = 1n
      for (const { gapNs, cost } of steps) {
        nowNs += gapNs
        if (bucket.take(nowNs, cost) === 'admitted') admitted.push({ atNs: nowNs, cost })
      }
      for (const [i, first] of admitted.entries()) {
        let cost = 0n
        for (const { atNs, cost: one } of admitted.slice(i)) {
          cost += BigInt(one)
          // cost ≤ burst + rate × window, in whole numbers
          const periodNs = BigInt(rate.periodMs) * NS_PER_MS * BigInt(dataPlanes)
          const window = (atNs - first.atNs) * BigInt(rate.count)
          assert.ok((cost - BigInt(burst)) * periodNs <= window, `${cost} in ${window}`)
        }
      }
    }),
  )
})

test('it admits what the plain bucket of tokens admits', () => {
  fc.assert(
    fc.property(evenRate, gaps, (rate, steps) => {
      const bucket = new Bucket(rate)
      const plain = new PlainBucket(rate)
      let nowNs = 1n
      for (const { gapNs, cost } of steps) {
        nowNs += gapNs
        assert.equal(bucket.take(nowNs, cost), plain.take(nowNs, cost))
        assert.equal(remaining(bucket.backlog(nowNs), bucket.parts), plain.remaining())
      }
    }),
  )
})

test('all of the burst can come at once, and who waits as told is admitted', () => {
  fc.assert(
    fc.property(anyRate, fc.integer({ min: 1, max: 5 }), (rate, dataPlanes) => {
      const bucket = new Bucket(rate, dataPlanes)
      const burst = localPart(rate.burst, dataPlanes)
      for (let i = 0; i < burst; i++) assert.equal(bucket.take(1n, 1), 'admitted')
      assert.equal(bucket.take(1n, 1), 'refused')
      const wait = waitNs(bucket.backlog(1n), costNs(1, bucket.parts), bucket.parts)
      assert.ok(wait !== null && wait > 0n)
      assert.equal(bucket.take(wait, 1), 'refused')
      assert.equal(bucket.take(1n + wait, 1), 'admitted')
    }),
  )
})

test('a cost beyond the burst never fits, and one that is no whole number is rounded up', () => {
  const parts = rateParts({ count: 10, periodMs: 1000, burst: 5 }, 1)
  assert.equal(waitNs(0n, costNs(6, parts), parts), null)
  assert.equal(waitNs(0n, costNs(Number.MAX_VALUE, parts), parts), null)
  assert.equal(waitNs(0n, costNs(Infinity, parts), parts), null)
  assert.equal(costNs(0.5, parts), parts.intervalNs / 2n)
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), (cost) => {
      const exact = cost * Number(parts.intervalNs)
      assert.ok(Number(costNs(cost, parts)) >= exact * (1 - 1e-12))
    }),
  )
})

test('a rate that was changed neither fills the bucket nor holds more than all of it back', () => {
  fc.assert(
    fc.property(anyRate, anyRate, fc.integer({ min: 0, max: 50 }), (before, after, takes) => {
      const old = new Bucket(before)
      for (let i = 0; i < takes; i++) old.take(1n, 1)
      const fullAtNs = 1n + old.backlog(1n)
      const parts = rateParts(after, 1)
      const backlog = backlogNs(fullAtNs, 1n, parts)
      assert.ok(backlog <= parts.toleranceNs)
      assert.ok(remaining(backlog, parts) >= 0)
      // used stays used: by half of the rate, a request weighs twice
      if (takes > 0) assert.ok(backlog > 0n)
    }),
  )
  const parts = rateParts({ count: 50, periodMs: 10_000, burst: 50 }, 1)
  const used80Of100Ns = 80n * 100n * NS_PER_MS
  assert.equal(remaining(backlogNs(used80Of100Ns, 0n, parts), parts), 10)
})

test('a part of a limit is rounded down, and is at least one', () => {
  assert.equal(localPart(10, 3), 3)
  assert.equal(localPart(2, 3), 1)
  assert.equal(localPart(10, 1), 10)
})
