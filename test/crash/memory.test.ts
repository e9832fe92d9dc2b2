/**
 * Proves what a data plane does when memory runs short: a real process with a small limit, a worker
 * that holds more and more, and clients that see what it costs.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixed, get, type Got, raw, ruleOf } from '../../dataplane/fake/plane.ts'
import { until } from '../../dataplane/upstream/fake/recorder.ts'
import { type PlaneProcess, startPlane, stateWith } from './plane.ts'

const MB = 1024 * 1024
const LIMIT_MB = 1_000

async function usedMb(plane: PlaneProcess): Promise<number> {
  return (await plane.metric('fairlead_memory_used_bytes')) / MB
}

/** Around a watermark the pressure may come and go. */
async function refusedBy(plane: PlaneProcess, refused: Got[]): Promise<boolean> {
  const got = await get(plane.http, '/a').catch(() => null)
  if (got?.status === 503) refused.push(got)
  return refused.length > 0
}

async function pressureIs(plane: PlaneProcess, level: number): Promise<void> {
  const holds = async (): Promise<boolean> =>
    (await plane.metric('fairlead_memory_pressure')) === level
  await until(`the pressure is ${level}`, holds, 20_000)
}

test('short of memory, it closes what is idle, then refuses, and recovers', async (t) => {
  const state = await stateWith([ruleOf('a', '/a', fixed('alive'))])
  const plane = await startPlane(t, state, { memoryBytes: LIMIT_MB * MB })
  t.diagnostic(`at rest ${Math.round(await usedMb(plane))} MiB are held`)
  const holdUpTo = async (share: number): Promise<void> => {
    const megabytes = Math.round(LIMIT_MB * share - (await usedMb(plane)))
    plane.child.stdin?.write(`1 hold ${Math.max(0, megabytes)}\n`)
  }
  const idle = raw(t, plane.http, 'GET /a HTTP/1.1\r\nhost: x\r\n\r\n')
  await until('it is kept', () => idle.text.endsWith('alive'))

  await holdUpTo(0.88)
  await until('the idle connection is closed', () => idle.state === 'closed', 20_000)
  assert.equal((await get(plane.http, '/a')).status, 200)

  await holdUpTo(0.935)
  const refused: Got[] = []
  await until('it refuses', () => refusedBy(plane, refused), 20_000)
  assert.equal(refused[0]?.headers['x-fairlead-cause'], 'overloaded')
  assert.equal(refused[0]?.headers['retry-after'], '1')

  await holdUpTo(1.1)
  await pressureIs(plane, 3)
  const closed = (): Promise<boolean> =>
    get(plane.http, '/a').then(
      () => false,
      () => true,
    )
  await until('nobody is accepted', closed, 20_000)
  assert.ok((await plane.metric('fairlead_connections_refused_total')) > 0)

  await holdUpTo(0)
  await pressureIs(plane, 0)
  const served = (): Promise<boolean> =>
    get(plane.http, '/a').then(
      ({ status }) => status === 200,
      () => false,
    )
  await until('it serves again', served, 20_000)
  assert.equal(await plane.metric('fairlead_worker_restarts'), 0)
})
