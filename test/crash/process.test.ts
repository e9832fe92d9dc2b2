/**
 * Proves what becomes of a data plane that is killed, or whose threads misbehave: real processes,
 * and clients that see what it costs.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixed, get, raw, ruleOf } from '../../dataplane/fake/plane.ts'
import { until } from '../../dataplane/upstream/fake/recorder.ts'
import { cpuMs, isReady, startPlane, stateWith } from './plane.ts'

const REFUSED = 'fairlead_connections_refused_total'
const RULES = [ruleOf('a', '/a', fixed('alive'))]

test('a data plane that is killed is back from its last good table', async (t) => {
  const plane = await startPlane(t, await stateWith(RULES))
  for (let round = 0; round < 3; round++) {
    const before = plane.pid()
    const killedMs = performance.now()
    process.kill(before, 'SIGKILL')
    await until('it serves again', () => answers(plane.http), 20_000)
    const tookMs = Math.round(performance.now() - killedMs)
    assert.notEqual(plane.pid(), before)
    t.diagnostic(`served again ${tookMs} ms after kill -9, with ${cpuMs(plane.pid())} ms of CPU`)
  }
})

test('a thread stuck in native code costs the process, not the service', async (t) => {
  const plane = await startPlane(t, await stateWith(RULES))
  const before = plane.pid()
  plane.child.stdin?.write('1 hangNative\n')
  await until('the supervisor starts another', () => ![0, before].includes(plane.pid()), 40_000)
  await until('it serves again', () => isReady(plane.admin), 20_000)
  for (let i = 0; i < 10; i++) assert.equal((await get(plane.http, '/a')).body, 'alive')
  assert.match(plane.output(), /a worker is silent: it is ended/)
  assert.match(plane.output(), /a thread cannot be ended: the process ends/)
  assert.match(plane.output(), /it was ended by SIGKILL/)
})

test('asked to stop while a thread is stuck, the process ends all the same', async (t) => {
  const plane = await startPlane(t, await stateWith(RULES))
  plane.child.stdin?.write('1 hangNative\n')
  plane.child.kill('SIGTERM')
  assert.equal(await plane.exit, 0)
})

test('a heap that is exhausted ends what it must, and the rest serves on', async (t) => {
  const plane = await startPlane(t, await stateWith(RULES))
  plane.child.stdin?.write('1 grow\n')
  const because = /a worker ended: it is replaced|started again/
  await until('it has ended', () => because.test(plane.output()), 60_000)
  await until('all serve', async () => (await plane.metric('fairlead_workers_ready')) === 2, 20_000)
  for (let i = 0; i < 10; i++) assert.equal((await get(plane.http, '/a')).body, 'alive')
})

test('without descriptors it refuses connections, counts them, and accepts again', async (t) => {
  const plane = await startPlane(t, await stateWith(RULES), { shell: 'ulimit -n 160' })
  const before = plane.pid()
  const many = Array.from({ length: 200 }, () => raw(t, plane.http, ''))
  await until('some were refused', () => many.some(({ state }) => state !== 'open'))
  await until('they are counted', async () => (await plane.metric(REFUSED)) > 0)
  for (const { socket } of many) socket.destroy()
  await until('it serves again', () => answers(plane.http))
  assert.equal(plane.pid(), before)
  assert.doesNotMatch(plane.output(), /bug/)
})

test('an output that nobody reads costs lines, which are counted, and no answer', async (t) => {
  const plane = await startPlane(t, await stateWith(RULES))
  plane.child.stdout?.pause()
  const long = `/b/${'x'.repeat(7_000)}`
  const dropped = (): Promise<number> => plane.metric('fairlead_log_lines_dropped_total')
  const some = Array.from({ length: 50 })
  // A bounded number of them is kept; each line is as long as its path.
  for (let i = 0; i < 200 && (await dropped()) === 0; i++) {
    const all = await Promise.all(some.map(() => get(plane.http, long)))
    assert.ok(all.every(({ status }) => status === 404))
  }
  assert.ok((await dropped()) > 0)
  assert.equal((await get(plane.http, '/a')).body, 'alive')
  plane.child.kill('SIGTERM')
  assert.equal(await plane.exit, 0)
})

async function answers(port: number): Promise<boolean> {
  return get(port, '/a').then(
    ({ body }) => body === 'alive',
    () => false,
  )
}
