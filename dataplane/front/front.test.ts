/**
 * Proves that a worker's listener tells its protocols apart and drains them all.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { monotonicMs } from '../clock.ts'
import { get, raw, type Raw } from '../fake/plane.ts'
import type { Outcome } from '../request/outcome.ts'
import type { TrustedProxies } from '../runtime/runtime.ts'
import { until } from '../upstream/fake/recorder.ts'
import { drain } from './drain.ts'
import { HOST, ok, startFront } from './fake/front.ts'
import { frameClient, headers, requestFields } from './fake/frames.ts'
import { ask, session } from './fake/http2-client.ts'

test('one port speaks HTTP/1 and HTTP/2 with prior knowledge', async (t) => {
  const { port, records } = await startFront(t, ({ path }) => ok(path))
  const client = session(t, port)
  assert.equal((await ask(client, { ':path': '/two' })).body, '/two')
  assert.equal((await get(port, '/one')).body, '/one')
  assert.deepEqual(
    records.map(({ protocol }) => protocol),
    ['2', '1.1'],
  )
})

test('a drain tells HTTP/2 clients which stream was the last one, and answers it', async (t) => {
  const waiting = Promise.withResolvers<Outcome>()
  const { front, port, records } = await startFront(t, () => waiting.promise)
  const busy = frameClient(t, port)
  const idle = frameClient(t, port)
  busy.send(headers(1, requestFields('GET', '/slow')))
  await until('it runs', () => front.connections.some(({ state }) => state === 'busy'))
  await until('both are there', () => front.connections.length === 2)
  const drained = drain(front, { graceMs: 2_000, why: 'replaced', now: monotonicMs })
  await until('both are told', () => busy.goaway() === 0 && idle.goaway() === 0)
  waiting.resolve(ok('slow'))
  await until('it is answered', () => busy.ended().includes(1))
  assert.equal(await drained, 'finished')
  assert.equal(records.length, 1)
  assert.equal(records[0]?.complete, true)
})

test('one address cannot take all connections, a trusted proxy may', async (t) => {
  const bounds = { connectionsPerAddressMax: 5 }
  const trust: TrustedProxies = { trust: () => 'trusted' }
  for (const [trusted, served] of [
    [null, 5],
    [trust, 9],
  ] as const) {
    const { port } = await startFront(t, () => ok('served'), trusted, bounds)
    const clients = Array.from({ length: 9 }, () => raw(t, port, `GET / HTTP/1.1\r\n${HOST}\r\n`))
    const settled = ({ text, state }: Raw): boolean => text.endsWith('served') || state === 'closed'
    await until('all are answered or closed', () => clients.every(settled))
    assert.equal(clients.filter(({ text }) => text.endsWith('served')).length, served)
    for (const { socket } of clients) socket.destroy()
    await until('there is room again', () =>
      get(port, '/').then(
        ({ body }) => body === 'served',
        () => false,
      ),
    )
  }
})
