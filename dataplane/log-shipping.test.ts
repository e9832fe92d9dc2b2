/**
 * Proves how lines travel to the main thread.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordOf } from './fake/records.ts'
import { AccessLines } from './log.ts'
import { LogShipping } from './log-shipping.ts'
import { CELLS, MetricsSlab, newSlab } from './metrics-slab.ts'
import { until } from './upstream/fake/recorder.ts'

interface Shipped {
  readonly shipping: LogShipping
  readonly slab: MetricsSlab
  readonly batches: { readonly lines: string; readonly count: number }[]
}

function ship(): Shipped {
  const slab = new MetricsSlab(newSlab(), () => undefined)
  const batches: { lines: string; count: number }[] = []
  const shipping = new LogShipping(new AccessLines(), slab, (lines, count) => {
    batches.push({ lines: Buffer.from(lines).toString('latin1'), count })
  })
  return { shipping, slab, batches }
}

test('lines come together, in their order, after a moment', async () => {
  const { shipping, batches } = ship()
  for (const id of ['a', 'b', 'c']) shipping.record(recordOf({ id }))
  assert.equal(batches.length, 0)
  await until('they are sent', () => batches.length === 1)
  assert.equal(batches[0]?.count, 3)
  const ids = batches[0]?.lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).id)
  assert.deepEqual(ids, ['a', 'b', 'c'])
})

test('many lines are sent at once', () => {
  const { shipping, batches } = ship()
  for (let i = 0; i < 200; i++) shipping.record(recordOf())
  assert.ok(batches.length >= 1)
  shipping.flush()
  assert.equal(
    batches.reduce((sum, { count }) => sum + count, 0),
    200,
  )
})

test('lines that nobody takes are dropped and counted', () => {
  const { shipping, slab, batches } = ship()
  const path = `/${'x'.repeat(1_000)}`
  for (let i = 0; i < 20_000; i++) shipping.record(recordOf({ path }))
  shipping.flush()
  const sent = batches.reduce((sum, { count }) => sum + count, 0)
  const dropped = slab.cells[CELLS.logDropped] ?? 0
  assert.equal(sent + dropped, 20_000)
  assert.ok(dropped > 0)
  assert.ok(batches.reduce((sum, { lines }) => sum + lines.length, 0) <= 8 * 1024 * 1024)
  // Once they are taken, new ones go out again.
  slab.cells[CELLS.logTaken] = slab.cells[CELLS.logSent] ?? 0
  shipping.record(recordOf())
  shipping.flush()
  assert.equal(
    batches.reduce((sum, { count }) => sum + count, 0),
    sent + 1,
  )
})
