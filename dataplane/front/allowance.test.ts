/**
 * Proves the bound of an allowance against a plain count.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Allowance } from './allowance.ts'

test('any window admits at most its burst and what came back in it', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300), { minLength: 1, maxLength: 60 }), (steps) => {
      const allowance = new Allowance({ burst: 5, perSecond: 10 }, 0)
      const taken: number[] = []
      let now = 0
      for (const step of steps) {
        now += step
        if (allowance.take(now) === 'left') taken.push(now)
      }
      for (const [i, from] of taken.entries()) {
        for (const [j, to] of taken.entries()) {
          if (j >= i) assert.ok(j - i + 1 <= 5 + ((to - from) / 1_000) * 10 + 1e-6)
        }
      }
      assert.ok(taken.length >= Math.min(5, steps.length))
    }),
  )
})
