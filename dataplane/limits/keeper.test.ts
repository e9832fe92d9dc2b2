/**
 * Proves keeper.ts.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { keyOf } from './fake/hammer.ts'
import { memory } from './fake/limit.ts'
import { start } from './fake/threads.ts'
import { GaugeTable, REFUSED } from './gauge-table.ts'
import { rateParts } from './gcra.ts'
import { LimitKeeper } from './keeper.ts'
import { RateTable } from './rate-table.ts'

test('a worker that is ended in the middle of requests frees its gauge', async () => {
  const shared = memory({ columns: 2 })
  const signal = new Int32Array(new SharedArrayBuffer(8))
  Atomics.store(signal, 1, 1)
  const task = { kind: 'hold', takes: 5 } as const
  const truth = new SharedArrayBuffer(4)
  const worker = start({ memory: shared, column: 1, task, signal: signal.buffer, truth })
  await once(worker, 'message')
  const table = new GaugeTable(shared, 0)
  assert.equal(table.take(keyOf(0), 5), REFUSED)
  const ended = once(worker, 'exit')
  await worker.terminate()
  await ended
  assert.equal(table.take(keyOf(0), 5), REFUSED, 'nobody has freed it yet')
  new LimitKeeper(shared).freeColumn(1)
  assert.notEqual(table.take(keyOf(0), 5), REFUSED)
})

test('room is made before the table is full, and what is in force is kept', () => {
  const shared = memory({ rateSlots: 256 })
  const keeper = new LimitKeeper(shared)
  const table = new RateTable(shared)
  const parts = rateParts({ count: 1, periodMs: 1_000, burst: 1 }, 1)
  const hour = rateParts({ count: 1, periodMs: 3_600_000, burst: 1 }, 1)
  let nowNs = 1n
  const take = (n: number, rate = parts) =>
    table.take(keyOf(n), { nowNs, takeNs: rate.intervalNs, parts: rate }).kind
  assert.equal(take(0, hour), 'admitted')
  for (let n = 1; n < 5_000; n++) {
    nowNs += 20_000_000n
    assert.equal(take(n), 'admitted', `key ${n}`)
    if (n % 10 === 0) keeper.sweep(nowNs)
  }
  assert.equal(take(0, hour), 'refused')
  assert.equal(keeper.standing().overflowed, 0)
  assert.ok(keeper.standing().buckets < 128)
})
