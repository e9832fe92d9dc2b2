/**
 * Proves how answers end over HTTP/2, on real connections.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { fail } from '../request/failure.ts'
import { until } from '../upstream/fake/recorder.ts'
import { HandStream, ok, startFront, streaming } from './fake/front.ts'
import { data, frame, frameClient, headers, number, requestFields, TYPE } from './fake/frames.ts'
import { ask, session } from './fake/http2-client.ts'

test('an answer that breaks off is a reset, never an end', async (t) => {
  const stream = new HandStream(null)
  const { port, records } = await startFront(t, ({ path }) =>
    path === '/next' ? ok('next') : streaming(stream),
  )
  const client = frameClient(t, port)
  client.send(headers(1, requestFields('GET', '/')))
  await until('it streams', () => stream.sink !== null)
  stream.sink?.data(Buffer.from('some'))
  stream.sink?.data(Buffer.from('more'))
  stream.sink?.fail(fail('upstream-reset', 'gone'))
  await until('it is reset', () => client.resets().some(({ id }) => id === 1))
  assert.ok(!client.ended().includes(1))
  client.send(headers(3, requestFields('GET', '/next')))
  await until('the connection lives on', () => client.ended().includes(3))
  assert.equal(records[0]?.complete, false)
})

test('trailers follow the body, and connection fields of an answer do not pass', async (t) => {
  const stream = new HandStream(null)
  const { port, records } = await startFront(t, () =>
    streaming(stream, ['Content-Type', 'application/grpc', 'Connection', 'x', 'Keep-Alive', '1']),
  )
  const asked = ask(session(t, port), { ':path': '/' })
  await until('it streams', () => stream.sink !== null)
  stream.sink?.data(Buffer.from('message'))
  stream.sink?.end(['Grpc-Status', '0', 'x', 'a', 'x', 'b', 'connection', 'y'])
  const { head, body, trailers } = await asked
  assert.equal(body, 'message')
  assert.equal(head['content-type'], 'application/grpc')
  assert.equal(head.connection, undefined)
  assert.equal(trailers['grpc-status'], '0')
  assert.equal(trailers['x'], 'a, b')
  assert.equal(trailers['connection'], undefined)
  assert.equal(records[0]?.complete, true)
})

test('an answer without a body ends with its head', async (t) => {
  const { port } = await startFront(t, ({ method }) =>
    method === 'HEAD'
      ? ok('five!')
      : { kind: 'respond', status: 204, headers: [], body: { kind: 'empty' }, by: 'gateway' },
  )
  for (const method of ['HEAD', 'GET']) {
    const client = frameClient(t, port)
    client.send(headers(1, requestFields(method, '/')))
    await until('it has ended', () => client.ended().includes(1))
    assert.ok(client.frames.every(({ type }) => type !== TYPE.data))
  }
})

test('what is left of an upload after its answer is not wanted any more', async (t) => {
  const { port, records } = await startFront(t, () => ok('no'))
  const client = frameClient(t, port)
  client.send(headers(1, requestFields('POST', '/'), 'open'), data(1, 'x', 'open'))
  await until('it is answered', () => client.ended().includes(1))
  await until('and reset without an error', () =>
    client.resets().some(({ id, code }) => id === 1 && code === 0),
  )
  assert.equal(records[0]?.complete, true)
})

test('a client that takes nothing pauses its answer, and is given up after a while', async (t) => {
  const stream = new HandStream(null)
  const { port, records } = await startFront(t, () => streaming(stream))
  const client = frameClient(t, port)
  client.send(headers(1, requestFields('GET', '/')))
  await until('it streams', () => stream.sink !== null)
  let pace: 'more' | 'pause' = 'more'
  let sent = 0
  for (; sent < 100 && pace === 'more'; sent++) {
    pace = stream.sink?.data(Buffer.alloc(16_384)) ?? 'more'
  }
  assert.ok(sent < 100, 'it is paused')
  await until('it is given up', () => records.length === 1)
  assert.equal(records[0]?.complete, false)
  await until('the backend is let go', () => stream.aborted === 'yes')
})

test('a slow client gets every byte', async (t) => {
  const stream = new HandStream(null)
  const { port } = await startFront(t, () => streaming(stream))
  const client = session(t, port)
  const request = client.request({ ':path': '/', ':authority': 'shop.example.com' })
  await once(request, 'response')
  const sum = 200 * 10_007
  let sent = 0
  const send = (): void => {
    while (sent < 200) {
      sent++
      if (stream.sink?.data(Buffer.alloc(10_007, sent)) === 'pause') return
    }
    stream.sink?.end(null)
  }
  const resumed = stream.resumes
  stream.resume = () => {
    if (sent <= 200) send()
  }
  send()
  assert.equal(resumed, 0)
  let got = 0
  for await (const chunk of request) got += chunk.length
  assert.equal(got, sum)
})

test('a stream that its client leaves gives its backend up', async (t) => {
  const stream = new HandStream(null)
  const { port, records } = await startFront(t, () => streaming(stream))
  const client = frameClient(t, port)
  client.send(headers(1, requestFields('GET', '/')))
  await until('it streams', () => stream.sink !== null)
  client.send(frame(TYPE.reset, 0, 1, number(8)))
  await until('it is recorded', () => records.length === 1)
  await until('the backend is let go', () => stream.aborted === 'yes')
  assert.equal(records[0]?.complete, false)
})

test('an upload that nobody reads does not keep trailers from their client', async (t) => {
  const stream = new HandStream(null)
  const { port, front } = await startFront(t, () => streaming(stream))
  const client = frameClient(t, port)
  client.send(headers(1, requestFields('POST', '/'), 'open'), data(1, 'x', 'open'))
  await until('it streams', () => stream.sink !== null)
  stream.sink?.data(Buffer.from('message'))
  await turn()
  stream.sink?.end(['grpc-status', '0'])
  await until('it has ended', () => client.ended().includes(1))
  assert.equal(client.frames.filter(({ type }) => type === TYPE.headers).length, 2)
  await until('nothing is kept', () => front.connections.every(({ state }) => state === 'idle'))
})
