/**
 * Proves HTTP/2 of the clients end to end: node's own client for what is usual, raw frames for what
 * no library would send.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { get } from '../fake/plane.ts'
import { until } from '../upstream/fake/recorder.ts'
import { ask, session } from './fake/http2-client.ts'
import { echo, ok, startFront } from './fake/front.ts'
import { type Fields, frame, frameClient, headers, requestFields, TYPE } from './fake/frames.ts'

test('a request over HTTP/2 is the same exchange as over HTTP/1', async (t) => {
  const { port, exchanges, records } = await startFront(t, echo)
  const client = session(t, port)
  const cookie = ['a=1', 'b=2']
  const { head, body } = await ask(
    client,
    { ':path': '/a/b?c=d', ':method': 'POST', cookie },
    'hello',
  )
  assert.equal(head[':status'], 200)
  assert.equal(body, 'POST shop.example.com /a/b hello')
  const [exchange] = exchanges
  assert.deepEqual(exchange?.headers, ['host', 'shop.example.com', 'cookie', 'a=1; b=2'])
  assert.equal(exchange?.query, 'c=d')
  await until('it is recorded', () => records.length === 1)
  const [record] = records
  assert.deepEqual(
    [record?.protocol, record?.status, record?.bytesIn, record?.complete, record?.peer],
    ['2', 200, 5, true, '127.0.0.1'],
  )
})

test('many streams of one connection are answered at once, each with its own', async (t) => {
  const { port, records } = await startFront(t, echo)
  const client = session(t, port)
  const paths = Array.from({ length: 300 }, (_, i) => `/${i}`)
  const answers = await Promise.all(
    paths.map((path) => ask(client, { ':path': path, ':method': 'POST' }, path)),
  )
  assert.deepEqual(
    answers.map(({ body }) => body),
    paths.map((path) => `POST shop.example.com ${path} ${path}`),
  )
  assert.equal(new Set(records.map(({ id }) => id)).size, 300)
})

test('a refused request is answered, recorded once, and its connection lives on', async (t) => {
  const { port, records } = await startFront(t, ({ path }) => ok(path))
  const client = session(t, port)
  const { head, body } = await ask(client, { ':path': '/a%2Fb' })
  assert.equal(head[':status'], 400)
  assert.match(body, /"title":"Ambiguous path"/)
  assert.equal((await ask(client, { ':path': '/next' })).body, '/next')
  assert.deepEqual(
    records.map(({ status }) => status),
    [400, 200],
  )
})

const MALFORMED: Readonly<Record<string, Fields>> = {
  'a connection field': requestFields('GET', '/', [['connection', 'x']]),
  'a transfer coding': requestFields('GET', '/', [['transfer-encoding', 'chunked']]),
  'keep-alive': requestFields('GET', '/', [['keep-alive', '1']]),
  'proxy-connection': requestFields('GET', '/', [['proxy-connection', 'close']]),
  upgrade: requestFields('GET', '/', [['upgrade', 'h2c']]),
  'a TE that is not trailers': requestFields('GET', '/', [['te', 'gzip']]),
  'an upper-case name': requestFields('GET', '/', [['X-Y', '1']]),
  'a pseudo-header after a field': [['x', 'y'], ...requestFields('GET', '/')],
  'a pseudo-header twice': requestFields('GET', '/', [[':path', '/b']]),
  'an unknown pseudo-header': requestFields('GET', '/', [[':x', '/b']]),
  'a pseudo-header of answers': requestFields('GET', '/', [[':status', '200']]),
  'no path': requestFields('GET', '/').filter(([name]) => name !== ':path'),
  'an empty path': requestFields('GET', ''),
  'no method': requestFields('GET', '/').filter(([name]) => name !== ':method'),
  'a method that is none': requestFields('G T', '/'),
  'a blank in the path': requestFields('GET', '/a b'),
  'a length twice': requestFields('GET', '/', [
    ['content-length', '0'],
    ['content-length', '0'],
  ]),
  'a length that is none': requestFields('GET', '/', [['content-length', '1a']]),
  'a length and no body': requestFields('GET', '/', [['content-length', '3']]),
  'a protocol without CONNECT': [[':protocol', 'websocket'], ...requestFields('GET', '/')],
}

test('what is malformed is reset or refused, never served, and harms no other stream', async (t) => {
  for (const [what, fields] of Object.entries(MALFORMED)) {
    const { port, exchanges, records } = await startFront(t, ({ path }) => ok(path))
    const client = frameClient(t, port)
    client.send(headers(1, fields), headers(3, requestFields('GET', '/after')))
    await until(`${what}: the next is answered`, () => client.ended().includes(3))
    assert.ok(
      client.resets().some(({ id }) => id === 1),
      what,
    )
    assert.equal(exchanges.length, 1, what)
    assert.equal(records.length, 1, what)
  }
})

test('names and values with bytes that no field may hold never reach an exchange', async (t) => {
  const { port, exchanges } = await startFront(t, ({ path }) => ok(path))
  const client = frameClient(t, port)
  const bad: Fields = [
    ['', '1'],
    ['a b', '1'],
    ['a:b', '1'],
    ['c', 'x\ny: z'],
    ['d', 'x\r'],
    ['e', 'x\0'],
    ['f', ' x'],
    ['g', 'x '],
  ]
  client.send(headers(1, requestFields('GET', '/', [...bad, ['ok', '1']])))
  await until('it is answered', () => client.ended().includes(1))
  assert.deepEqual(exchanges[0]?.headers, ['host', 'shop.example.com', 'ok', '1'])
})

test('a field list in pieces that never end opens no exchange and is closed', async (t) => {
  const { port, exchanges } = await startFront(t, ({ path }) => ok(path))
  const client = frameClient(t, port)
  client.send(frame(TYPE.headers, 0, 1, Buffer.alloc(0)))
  for (let i = 0; i < 20; i++) client.send(frame(TYPE.continuation, 0, 1, Buffer.from([0x82])))
  await until('it is closed', () => client.state === 'closed')
  assert.equal(exchanges.length, 0)
  assert.equal((await get(port, '/other')).body, '/other')
})
