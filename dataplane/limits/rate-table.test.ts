/**
 * Proves rate-table.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { keyOf } from './fake/hammer.ts'
import { memory } from './fake/limit.ts'
import { interleaved } from './fake/interleave.ts'
import { hammerTogether, overAdmitted } from './fake/threads.ts'
import { rateParts, type RateParts } from './gcra.ts'
import { type Charge, RateTable } from './rate-table.ts'

const HOUR: RateParts = rateParts({ count: 10, periodMs: 3_600_000, burst: 10 }, 1)

function take(table: RateTable, n: number, nowNs: bigint, parts = HOUR): Charge {
  return table.take(keyOf(n), { nowNs, takeNs: parts.intervalNs, parts })
}

function admitted(table: RateTable, n: number, nowNs: bigint, parts = HOUR): number {
  let count = 0
  while (take(table, n, nowNs, parts).kind === 'admitted') count++
  return count
}

test('threads that hammer one bucket never get more than the formula', async () => {
  // a burst for a tenth of a second: threads of a busy machine do not always run
  const parts = rateParts({ count: 2_000, periodMs: 1_000, burst: 200 }, 1)
  const task = { kind: 'rate', parts, othersPerTake: 0 } as const
  const hammering = await hammerTogether(memory({ columns: 4 }), task, { threads: 4, ms: 500 })
  assert.equal(overAdmitted(hammering.results, parts), 0n)
  const total = hammering.results.reduce((sum, one) => sum + one.admitted, 0)
  const possible = Number((hammering.endNs - hammering.startNs) / parts.intervalNs)
  assert.ok(total >= possible * 0.99, `only ${total} of ${possible} were used`)
})

test('nor while the tables change places under them all the time', async () => {
  const small = memory({ columns: 4, rateSlots: 1_024 })
  const table = new RateTable(small)
  const parts = rateParts({ count: 20_000, periodMs: 1_000, burst: 50 }, 1)
  const task = { kind: 'rate', parts, othersPerTake: 3 } as const
  const hammering = await hammerTogether(small, task, {
    threads: 4,
    ms: 800,
    until: () => table.generation() > 50,
    between: (passed) => {
      // no thread sleeps through 64 changes: the keeper leaves two seconds between two of them
      const slowest = Math.min(...passed.subarray(0, 4))
      if (table.generation() - slowest >= 60) return
      table.turn(process.hrtime.bigint())
      table.empty()
    },
  })
  assert.ok(table.generation() > 50, `${table.generation()} turns`)
  assert.equal(overAdmitted(hammering.results, parts), 0n)
})

test('a key that is used again after its table went out of use has what it had', () => {
  const keys = fc.array(fc.nat(20), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(keys, fc.array(fc.constantFrom('turn', 'empty', 'take')), (order, steps) => {
      const table = new RateTable(memory({ rateSlots: 64 }))
      const used = new Map<number, number>()
      let emptied = true
      for (const [i, n] of order.entries()) {
        const step = steps[i % Math.max(1, steps.length)] ?? 'take'
        if (step === 'empty') {
          table.empty()
          emptied = true
        }
        if (step === 'turn' && emptied) {
          table.turn(1n)
          emptied = false
        }
        const before = used.get(n) ?? 0
        const charge = take(table, n, 1n)
        assert.equal(charge.kind === 'admitted', before < 10)
        if (charge.kind === 'admitted') used.set(n, before + 1)
      }
    }),
  )
})

test('a bucket that is full again is forgotten, and nothing is lost by it', () => {
  const table = new RateTable(memory({ rateSlots: 64 }))
  const parts = rateParts({ count: 1, periodMs: 1, burst: 1 }, 1)
  for (let n = 0; n < 30; n++) take(table, n, 1n, parts)
  assert.equal(table.claimed(), 30)
  table.turn(2_000_000n)
  table.empty()
  assert.equal(table.claimed(), 0)
  for (let n = 0; n < 30; n++) assert.equal(take(table, n, 2_000_000n, parts).kind, 'admitted')
})

test('a thread that slept while its bucket filled up and was forgotten gets no second burst', () => {
  const table = new RateTable(memory({ rateSlots: 64 }))
  const asked = 1n
  assert.equal(admitted(table, 0, asked), 10)
  const fullNs = asked + 10n * HOUR.intervalNs
  table.turn(fullNs)
  table.empty()
  // what it read of the clock is older than the change: the take counts at the change
  const late = take(table, 0, asked)
  assert.equal(late.kind, 'admitted')
  assert.equal(late.atNs, fullNs)
  assert.equal(admitted(table, 0, asked) + admitted(table, 0, fullNs), 9)
})

test('a key whose bucket main has yet to carry over finds it in a table that is full', () => {
  const table = new RateTable(memory({ rateSlots: 64 }))
  assert.equal(admitted(table, 0, 1n), 10)
  // others fill the new table before main comes to the key
  const { stopped } = interleaved(
    () => table.turn(1n),
    5,
    () => {
      for (let n = 1; n <= 32; n++) take(table, n, 1n)
      assert.equal(take(table, 0, 1n).kind, 'refused')
    },
  )
  assert.equal(stopped, 'stopped')
  assert.equal(take(table, 0, 1n).kind, 'refused')
})

test('what a thread writes late that slept through two changes takes no bucket away', () => {
  for (let step = 0, how = 'stopped'; how === 'stopped'; step++) {
    const small = memory({ rateSlots: 8 })
    const table = new RateTable(small)
    // such a thread swaps the empty words that it saw for first moments of its own generation
    const writeLate = (): void => {
      const even = new BigInt64Array(small.rates[0].moments)
      for (const slot of even.keys()) Atomics.compareExchange(even, slot, 0n, 1n << 6n)
    }
    table.turn(1n)
    table.empty()
    assert.equal(admitted(table, 0, 1n), 10)
    how = interleaved(() => table.turn(1n), step, writeLate).stopped
    table.empty()
    assert.equal(take(table, 0, 1n).kind, 'refused', `written before step ${step}`)
  }
})

test('a full table lets new keys share what is left, and keeps the others apart', () => {
  const table = new RateTable(memory({ rateSlots: 64 }))
  const short = rateParts({ count: 10, periodMs: 60_000, burst: 10 }, 1)
  for (let n = 0; n < 32; n++) assert.equal(admitted(table, n, 1n, short), 10)
  // the overflow bucket of the limit: ten for all new keys together
  assert.equal(admitted(table, 100, 1n) + admitted(table, 101, 1n), 10)
  assert.equal(take(table, 102, 1n).kind, 'refused')
  assert.equal(take(table, 5, 1n + short.intervalNs, short).kind, 'admitted')
  // room again: a key that may have used the overflow bucket does not begin with a full one
  const later = 1n + 5n * HOUR.intervalNs
  table.turn(later)
  assert.equal(admitted(table, 100, later), 5)
})

test('what is given back may be taken again, and never more than that', () => {
  const table = new RateTable(memory())
  const step = fc.record({ gapMs: fc.nat(500_000), back: fc.boolean() })
  let n = 0
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      n++
      const kept: bigint[] = []
      let nowNs = 1n
      for (const { gapMs, back } of steps) {
        const charge = take(table, n, nowNs)
        const tookAtNs = nowNs
        nowNs += BigInt(gapMs) * 1_000_000n
        if (charge.kind === 'refused') continue
        if (back) table.giveBack(charge, nowNs)
        else kept.push(tookAtNs)
      }
      const admittedAtNs = BigInt64Array.from(kept)
      assert.equal(overAdmitted([{ admittedAtNs, admitted: kept.length }], HOUR), 0n)
    }),
  )
  const charge = take(table, 0, 1n)
  assert.equal(admitted(table, 0, 1n), 9)
  table.giveBack(charge, 1n)
  assert.equal(admitted(table, 0, 1n), 1)
  table.giveBack(charge, 1n + HOUR.intervalNs)
  assert.equal(admitted(table, 0, 1n), 0, 'it had come back by itself')
})
