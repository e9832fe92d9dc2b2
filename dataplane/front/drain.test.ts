/**
 * Proves that a drain takes nothing away from anybody, on real connections.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { monotonicMs } from '../clock.ts'
import { get, raw } from '../fake/plane.ts'
import type { Outcome } from '../request/outcome.ts'
import { until } from '../upstream/fake/recorder.ts'
import { drain } from './drain.ts'
import { HOST, ok, startFront } from './fake/front.ts'

const GET = `GET / HTTP/1.1\r\n${HOST}\r\n`

test('a request that began before the end of the drain is answered', async (t) => {
  const waiting = Promise.withResolvers<Outcome>()
  const { front, port, records } = await startFront(t, ({ path }) =>
    path === '/slow' ? waiting.promise : ok('fast'),
  )
  const slow = raw(t, port, `GET /slow HTTP/1.1\r\n${HOST}\r\n`)
  const idle = raw(t, port, GET)
  await until('both are there', () => idle.text.endsWith('fast'))
  const drained = drain(front, { graceMs: 2_000, why: 'shutdown', now: monotonicMs })
  // Endpoints are withdrawn only now: whoever still comes is served.
  assert.equal((await get(port, '/')).body, 'fast')
  await until('nobody is accepted', () =>
    get(port, '/').then(
      () => false,
      () => true,
    ),
  )
  idle.socket.write(GET)
  await until('a kept connection is served once more', () => /close[\s\S]*fast$/.test(idle.text))
  waiting.resolve(ok('slow'))
  await until('what was in flight is answered', () => slow.text.endsWith('slow'))
  assert.match(slow.text, /connection: close/i)
  assert.equal(await drained, 'finished')
  assert.ok(records.every(({ complete }) => complete))
})

test('an idle connection is kept for half the grace, then ended, not reset', async (t) => {
  const { front, port } = await startFront(t, () => ok('fast'))
  const idle = raw(t, port, GET)
  await until('it is answered', () => idle.text.endsWith('fast'))
  const startedMs = monotonicMs()
  await drain(front, { graceMs: 600, why: 'replaced', now: monotonicMs })
  await until('it is closed', () => idle.state === 'closed')
  assert.ok(monotonicMs() - startedMs >= 300)
  assert.equal(idle.socket.errored, null)
})

test('what has not ended when the grace is over is cut', async (t) => {
  const { front, port, records, exchanges } = await startFront(
    t,
    () => new Promise(() => undefined),
  )
  const stuck = raw(t, port, GET)
  await until('it is there', () => exchanges.length === 1)
  const drained = drain(front, { graceMs: 200, why: 'replaced', now: monotonicMs })
  assert.equal(await drained, 'cut')
  await until('it is closed', () => stuck.state === 'closed')
  assert.equal(records.length, 0)
})
