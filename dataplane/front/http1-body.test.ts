/**
 * Proves how bodies of requests are read, paced, refused and drained, on real connections.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { raw } from '../fake/plane.ts'
import type { BodySink } from '../request/exchange.ts'
import { until } from '../upstream/fake/recorder.ts'
import { echo, HOST, ok, startFront } from './fake/front.ts'

test('a body is handed over whole, in whatever pieces it comes', async (t) => {
  const { port, exchanges } = await startFront(t, echo)
  const client = raw(t, port, `POST /a HTTP/1.1\r\n${HOST}Content-Length: 11\r\n\r\nhello`)
  await until('it has begun', () => exchanges.length === 1)
  client.socket.write(' world')
  await until('answered', () => client.text.endsWith('hello world'))
  assert.equal(exchanges[0]?.body.bytesDeclared, 11)
  const chunked = raw(
    t,
    port,
    `POST /b HTTP/1.1\r\n${HOST}Transfer-Encoding: Chunked\r\n\r\n` +
      '5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nX-T: 1\r\n\r\n',
  )
  await until('answered', () => chunked.text.endsWith('hello world'))
  assert.equal(exchanges[1]?.body.bytesDeclared, null)
})

test('100 Continue is sent when somebody wants the body, and not before', async (t) => {
  const { port, exchanges } = await startFront(t, (exchange, runtime) =>
    exchange.path === '/no' ? ok('no') : echo(exchange, runtime),
  )
  const ask = (path: string): string =>
    `POST ${path} HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`
  const client = raw(t, port, ask('/yes'))
  await until('it may go on', () => client.text === 'HTTP/1.1 100 Continue\r\n\r\n')
  client.socket.write('hello')
  await until('answered', () => client.text.endsWith('hello'))
  const refused = raw(t, port, ask('/no'))
  await until('closed', () => refused.state !== 'open')
  assert.ok(!refused.text.includes('100 Continue'))
  assert.match(refused.text, /connection: close/i)
  const old = raw(t, port, ask('/old').replace('1.1', '1.0') + 'hello')
  await until('answered', () => old.text.endsWith('hello'))
  assert.ok(!old.text.includes('100 Continue'))
  assert.equal(exchanges.length, 3)
})

test('an upload is paced by whoever reads it', async (t) => {
  const held: { sink: BodySink | null; taken: number } = { sink: null, taken: 0 }
  const resumed = Promise.withResolvers<void>()
  const { port, exchanges } = await startFront(
    t,
    ({ body }) =>
      new Promise((resolve) => {
        let mode: 'pause' | 'more' = 'pause'
        void resumed.promise.then(() => {
          mode = 'more'
          body.resume()
        })
        body.start({
          data(chunk) {
            held.taken += chunk.length
            return mode
          },
          end: () => resolve(ok(String(held.taken))),
          abort: () => resolve(ok('aborted')),
        })
      }),
  )
  const total = 24 * 1024 * 1024
  const client = raw(t, port, `POST / HTTP/1.1\r\n${HOST}Content-Length: ${total}\r\n\r\n`)
  await until('it has begun', () => exchanges.length === 1)
  const chunk = Buffer.alloc(1024 * 1024, 'x')
  let sent = 0
  const pump = (): void => {
    while (sent < total) {
      sent += chunk.length
      if (!client.socket.write(chunk)) return void client.socket.once('drain', pump)
    }
  }
  pump()
  let before = -1
  await until('the client stands still', () => {
    const still = before === sent
    before = sent
    return still
  })
  assert.ok(held.taken < 1024 * 1024, `${held.taken} bytes were pushed on`)
  assert.ok(sent < total, 'the client was never held up')
  resumed.resolve()
  await until('all is there', () => client.text.endsWith(String(total)), 10_000)
})

test('an unread body is drained within a bound, or ends the connection', async (t) => {
  const { port } = await startFront(t, ({ path }) => ok(path))
  const small = raw(t, port, `POST /small HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\nhello`)
  await until('answered', () => small.text.endsWith('/small'))
  assert.doesNotMatch(small.text, /connection: close/i)
  small.socket.write(`worldGET /next HTTP/1.1\r\n${HOST}\r\n`)
  await until('the next is answered', () => small.text.endsWith('/next'))
  const large = raw(t, port, `POST /large HTTP/1.1\r\n${HOST}Content-Length: 1000000\r\n\r\nhello`)
  await until('closed', () => large.state !== 'open')
  assert.match(large.text, /connection: close/i)
  const chunked = raw(
    t,
    port,
    `POST /c HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n`,
  )
  await until('closed', () => chunked.state !== 'open')
  assert.match(chunked.text, /connection: close/i)
})

test('a refused upload still gets its answer', async (t) => {
  const { port } = await startFront(t, () => ok('no, thank you'))
  const client = raw(t, port, `POST / HTTP/1.1\r\n${HOST}Content-Length: 3000000\r\n\r\n`)
  const chunk = Buffer.alloc(100_000, 'x')
  const pump = (): void => void (client.state === 'open' && client.socket.write(chunk, pump))
  pump()
  await until('closed', () => client.state !== 'open')
  assert.match(client.text, /no, thank you$/)
  // What comes after the refused body is no request, even if it looks like one.
  assert.equal(client.text.match(/HTTP\/1\.1/g)?.length, 1)
})

test('a body that cannot be parsed ends its exchange and its connection', async (t) => {
  const { port, records, bugs } = await startFront(t, echo)
  const client = raw(
    t,
    port,
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n` +
      `5\r\nhello\r\nzz\r\nGET / HTTP/1.1\r\n${HOST}\r\n`,
  )
  await until('closed', () => client.state === 'closed')
  await until('recorded', () => records.length === 1)
  assert.equal(records[0]?.complete, false)
  assert.deepEqual(bugs, [])
})
