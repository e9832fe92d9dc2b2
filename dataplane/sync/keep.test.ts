/**
 * Promises of keep.ts, with a disk that counts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SAMPLES } from '../../test/wire/samples.ts'
import { listLog, until } from '../../test/wire/world.ts'
import { xorOf } from '#wire/digest'
import { objectId } from '#wire/table'
import type { Disk } from './disk.ts'
import { createHeldEndpoints } from './endpoints.ts'
import { NOTHING_REACHED, createHeld } from './held.ts'
import { createKeep } from './keep.ts'
import type { Keep } from './keep.ts'

interface Counted {
  readonly keep: Keep
  readonly writes: string[]
  readonly log: ReturnType<typeof listLog>
  /** The next writes fail. */
  broken: 'no' | 'yes'
}

function counting(everyMs: number): Counted {
  const writes: string[] = []
  const log = listLog()
  const held = createHeld()
  const hash = xorOf(SAMPLES.map(({ digest }) => digest))
  const puts = new Map(SAMPLES.map((object) => [objectId(object.kind, object.key), object]))
  const planned = held.plan({ from: 'snapshot', puts, drops: new Map(), hash })
  assert.ok(planned.kind === 'change')
  held.commit(planned.change, { reached: NOTHING_REACHED, rejected: [] })
  const write = async (what: string): Promise<void> => {
    writes.push(what)
    if (counted.broken === 'yes') throw new Error('the disk is full')
  }
  const disk: Disk = {
    readTable: () => Promise.resolve(null),
    readEndpoints: () => Promise.resolve(null),
    writeTable: () => write('table'),
    writeEndpoints: () => write('endpoints'),
  }
  const every = { table: everyMs, endpoints: everyMs, confirm: 60_000 }
  const keep = createKeep({ disk, held, endpoints: createHeldEndpoints(), log, everyMs: every })
  const counted: Counted = { keep, writes, log, broken: 'no' }
  return counted
}

test('many commits are one write', async () => {
  const { keep, writes } = counting(30)
  for (let i = 0; i < 100; i += 1) keep.tableChanged()
  await until('the first write', () => writes.length === 1)
  for (let i = 0; i < 100; i += 1) keep.tableChanged()
  await until('the second write', () => writes.length === 2)
  await keep.flush()
  assert.deepEqual(writes, ['table', 'table'])
})

test('what is not written yet is written at the end, and not twice', async () => {
  const { keep, writes } = counting(60_000)
  keep.tableChanged()
  await until('the first write', () => writes.length === 1)
  keep.tableChanged()
  keep.endpointsChanged()
  await keep.flush()
  await keep.flush()
  assert.deepEqual(writes.toSorted(), ['endpoints', 'table', 'table'])
})

test('a stream that is up keeps the endpoints young, without writing at each frame', async () => {
  const { keep, writes } = counting(1)
  for (let i = 0; i < 100; i += 1) keep.confirmed()
  await until('one write', () => writes.length === 1)
  for (let i = 0; i < 100; i += 1) keep.confirmed()
  await keep.flush()
  assert.deepEqual(writes, ['endpoints'])
})

test('a disk that fails is said, and tried again at the next change', async () => {
  const counted = counting(1)
  counted.broken = 'yes'
  counted.keep.tableChanged()
  await until('it was said', () => counted.log.lines.length === 1)
  assert.equal(counted.log.lines[0]?.level, 'error')
  counted.broken = 'no'
  counted.keep.tableChanged()
  await counted.keep.flush()
  assert.deepEqual(counted.writes, ['table', 'table'])
  assert.equal(counted.log.lines.length, 1)
})
