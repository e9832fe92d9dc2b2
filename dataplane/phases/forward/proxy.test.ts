/**
 * Proves forwarding through a real front to a real backend.
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { fakeRule } from '../../../test/fake/rule.ts'
import { raw } from '../../fake/plane.ts'
import { HOST, statusOf } from '../../front/fake/front.ts'
import { answerOf, type Script, until } from '../../upstream/fake/recorder.ts'
import { PROXY, type Proxied, startProxied } from '../../front/fake/proxied.ts'
import { proxy } from './proxy.ts'

const RULE = fakeRule({ totalTimeoutMs: 5_000, action: PROXY })

function through(
  t: TestContext,
  script: Script,
  totalTimeoutMs = RULE.totalTimeoutMs,
): Promise<Proxied> {
  return startProxied(t, script, (exchange, runtime) => {
    exchange.upstreamHeaders = ['x-from', 'us']
    return proxy(PROXY, { ...RULE, totalTimeoutMs }, exchange, runtime)
  })
}

test("the upstream's head becomes the answer, its body a stream", async (t) => {
  const lines = 'X-A: 1\r\nx-a: 2\r\nSet-Cookie: a=b\r\n'
  const { port, server, records } = await through(t, {
    request: (_, socket) => void socket.write(answerOf('hello', lines)),
  })
  const client = raw(t, port, `GET /a?b=c HTTP/1.1\r\n${HOST}\r\n`)
  await until('answered', () => client.text.endsWith('hello'))
  assert.match(client.text, /X-A: 1\r\nx-a: 2\r\nSet-Cookie: a=b\r\ncontent-length: 5\r\n/)
  assert.equal(server.requests[0]?.target, '/a?b=c')
  assert.match(server.requests[0]?.head ?? '', /^GET .*\r\nhost: shop\.example\.com\r\n/)
  const [record] = records
  assert.ok(record !== undefined && record.upstreamMs !== null && record.upstreamMs >= 0)
  assert.deepEqual([record.backend, record.by, record.bytesOut], ['b', 'upstream', 5])
})

test('both bodies are streams, paced from end to end', async (t) => {
  const total = 32 * 1024 * 1024
  const { port, server, records } = await through(t, {
    head: (_, socket) => void socket.pause(),
    request: (_, socket) => void socket.write(answerOf('done')),
  })
  const client = raw(t, port, `POST / HTTP/1.1\r\n${HOST}Content-Length: ${total}\r\n\r\n`)
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
  await until('the client is held up', () => {
    const still = before === sent
    before = sent
    return still && server.requests.length === 1
  })
  assert.ok(sent < total, 'all was taken though the backend reads nothing')
  for (const socket of server.sockets) socket.resume()
  await until('answered', () => client.text.endsWith('done'))
  assert.equal(server.requests[0]?.body.length, total)
  assert.equal(records[0]?.bytesIn, total)
})

test('an upload arrives byte for byte and is counted', async (t) => {
  const { port, server, records } = await through(t, {
    request: (_, socket) => void socket.write(answerOf('done')),
  })
  const client = raw(
    t,
    port,
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`,
  )
  await until('it has begun', () => server.requests.length === 1)
  client.socket.write('4\r\ndefg\r\n0\r\n\r\n')
  await until('answered', () => client.text.endsWith('done'))
  assert.equal(server.requests[0]?.body, 'abcdefg')
  assert.equal(records[0]?.bytesIn, 7)
  assert.deepEqual(server.errors, [])
})

test('a backend that is too slow is a 504, and its connection is given up', async (t) => {
  const { port, server, records } = await through(t, {}, 400)
  const client = raw(t, port, `GET / HTTP/1.1\r\n${HOST}\r\n`)
  await until('answered', () => client.text.includes('x-fairlead-cause: upstream-timeout'))
  assert.equal(statusOf(client), '504')
  await until('given up', () => server.sockets.every(({ destroyed }) => destroyed))
  assert.equal(records[0]?.backend, 'b')
  assert.ok((records[0]?.durationMs ?? 0) >= 400)
})

test('a backend that breaks off is a 502 before its head, and an abort after it', async (t) => {
  const { port, records } = await through(t, {
    request: ({ target }, socket) =>
      void socket.end(
        target === '/early' ? '' : 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello',
      ),
  })
  const early = raw(t, port, `GET /early HTTP/1.1\r\n${HOST}\r\n`)
  await until('answered', () => early.text.includes('x-fairlead-cause: upstream-reset'))
  assert.equal(statusOf(early), '502')
  const late = raw(t, port, `GET /late HTTP/1.1\r\n${HOST}\r\n`)
  await until('closed', () => late.state === 'closed')
  assert.ok(late.text.endsWith('hello'))
  assert.deepEqual(
    records.map(({ complete }) => complete),
    [true, false],
  )
  assert.equal(records[1]?.cause, 'upstream-reset')
})

test('a client that leaves ends the request to the backend', async (t) => {
  const { port, server, records } = await through(t, {
    request: ({ target }, socket) => {
      if (target === '/stream') socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello')
    },
  })
  for (const path of ['/wait', '/stream']) {
    const client = raw(t, port, `GET ${path} HTTP/1.1\r\n${HOST}\r\n`)
    await until('it is there', () => server.requests.some(({ target }) => target === path))
    if (path === '/stream') await until('it has begun', () => client.text.endsWith('hello'))
    client.socket.destroy()
    await until('given up', () => server.sockets.every(({ destroyed }) => destroyed))
  }
  await until('both are recorded', () => records.length === 2)
  assert.deepEqual(
    records.map(({ cause }) => cause),
    ['client-closed', 'client-closed'],
  )
})

test('an answer that comes early ends the upload', async (t) => {
  const { port, records } = await through(t, {
    head: (_, socket) => void socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno'),
  })
  const client = raw(t, port, `POST / HTTP/1.1\r\n${HOST}Content-Length: 100000000\r\n\r\nabc`)
  await until('closed', () => client.state !== 'open')
  assert.equal(statusOf(client), '413')
  assert.match(client.text, /connection: close/i)
  assert.ok(client.text.endsWith('no'))
  assert.equal(records.length, 1)
})

test('hints of the backend reach the client, other interim answers do not', async (t) => {
  const { port } = await through(t, {
    request: (_, socket) =>
      void socket.write(
        'HTTP/1.1 102 Processing\r\n\r\n' +
          `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${answerOf('ok')}`,
      ),
  })
  const client = raw(t, port, `GET / HTTP/1.1\r\n${HOST}\r\n`)
  await until('answered', () => client.text.endsWith('ok'))
  assert.match(client.text, /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a>\r\n\r\nHTTP\/1\.1 200/)
})

test('trailers of a request reach its backend, without those that no header may have', async (t) => {
  let text = ''
  const { port } = await through(t, {
    connection: (socket) => void socket.on('data', (chunk) => (text += chunk.toString('latin1'))),
    request: (_, socket) => void socket.write(answerOf('fine')),
  })
  const head = `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n`
  const trailers = 'X-Sum: 1\r\nX-Consumer-Id: me\r\nContent-Length: 9\r\nAuthorization: a\r\n'
  const client = raw(t, port, `${head}3\r\nabc\r\n0\r\n${trailers}\r\n`)
  await until('it is answered', () => client.text.endsWith('fine'))
  assert.ok(text.endsWith('\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n'), text)
})
