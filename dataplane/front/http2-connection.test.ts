/**
 * Proves that what a client can send for nothing ends its own connection only, with raw frames.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { get } from '../fake/plane.ts'
import { until } from '../upstream/fake/recorder.ts'
import { ok, startFront } from './fake/front.ts'
import { data, frame, frameClient, headers, number, requestFields, TYPE } from './fake/frames.ts'

const GET = requestFields('GET', '/')
type Flood = (id: number) => Buffer

const FLOODS: Readonly<Record<string, Flood>> = {
  'streams that are reset at once': (id) =>
    Buffer.concat([headers(id, GET), frame(TYPE.reset, 0, id, number(8))]),
  'resets with NO_ERROR': (id) =>
    Buffer.concat([headers(id, GET), frame(TYPE.reset, 0, id, number(0))]),
  'streams that we are made to reset by a window of 0': (id) =>
    Buffer.concat([headers(id, GET), frame(TYPE.window, 0, id, number(0))]),
  'streams that we are made to reset by their length': (id) =>
    Buffer.concat([
      headers(id, requestFields('POST', '/', [['content-length', '9']]), 'open'),
      data(id, 'x'),
    ]),
  'malformed heads': (id) => headers(id, requestFields('GET', '/', [['connection', 'x']])),
  SETTINGS: () => frame(TYPE.settings, 0, 0),
  PING: () => frame(TYPE.ping, 0, 0, Buffer.alloc(8)),
  'fields that never end': () => frame(TYPE.continuation, 0, 1, Buffer.from([0x82])),
}

test('every flood ends its own connection and nothing else', async (t) => {
  for (const [what, flood] of Object.entries(FLOODS)) {
    const { port, records, bugs } = await startFront(t, ({ path }) => ok(path))
    const client = frameClient(t, port)
    if (what === 'fields that never end') client.send(frame(TYPE.headers, 0, 1))
    let id = 1
    await until(`${what}: closed`, () => {
      for (let i = 0; i < 500 && client.state === 'open'; i++, id += 2) client.send(flood(id))
      return client.state === 'closed'
    })
    assert.ok(id < 40_000, `${what}: ${id}`)
    assert.equal((await get(port, '/other')).body, '/other', what)
    assert.deepEqual(bugs, [], what)
    assert.equal(new Set(records.map((record) => record.id)).size, records.length, what)
  }
})

test('more streams at once than a connection may have are refused, the others answered', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { port, exchanges } = await startFront(t, async ({ path }) => {
    await promise
    return ok(path)
  })
  const client = frameClient(t, port)
  for (let i = 0; i < 120; i++) client.send(headers(2 * i + 1, GET))
  await until('what is too much is refused', () => client.resets().length === 20)
  assert.ok(client.resets().every(({ code }) => code === 7))
  resolve()
  await until('the others are answered', () => client.ended().length === 100)
  assert.equal(exchanges.length, 100)
})

test('a client that pings as busy libraries do is left alone', async (t) => {
  const { port } = await startFront(t, ({ path }) => ok(path))
  const client = frameClient(t, port)
  for (let i = 0; i < 300; i++) {
    client.send(headers(2 * i + 1, GET), frame(TYPE.ping, 0, 0, Buffer.alloc(8)))
    await until('it is answered', () => client.ended().includes(2 * i + 1))
  }
  assert.equal(client.state, 'open')
})
