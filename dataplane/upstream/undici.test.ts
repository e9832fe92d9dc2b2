/**
 * Proves the outgoing side against a TCP server that answers byte by byte what a test says.
 */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import {
  failureOf,
  HandBody,
  headOf,
  idle,
  onBothLanes as test,
  readAll,
  recorder,
  send,
  setPorts,
  textOf,
  upstreamOf,
} from './fake/outgoing.ts'
import { answerOf, until, valuesOf } from './fake/recorder.ts'

test('a request arrives with its headers in order, case and number, framed once', async (t) => {
  const server = await recorder(t, { request: (_, socket) => socket.write(answerOf('ok')) })
  const upstream = upstreamOf(t, [server.port])
  const headers = [
    'X-One',
    '1',
    'x-one',
    '2',
    'Accept',
    '*/*',
    'Content-Length',
    '7',
    'Expect',
    'x',
  ]
  await textOf(upstream, { headers, target: '/a%2Fb?q=%20' })
  const seen = server.requests[0]
  assert.equal(seen?.target, '/a%2Fb?q=%20')
  assert.deepEqual(seen?.headers, [
    'host',
    'shop.example.com',
    'connection',
    'keep-alive',
    'X-One',
    '1',
    'x-one',
    '2',
    'Accept',
    '*/*',
  ])
  assert.deepEqual(server.errors, [])
})

test('an answer comes with its raw headers, without what is hop-by-hop', async (t) => {
  const lines =
    'Set-Cookie: a=1\r\nset-cookie: b=2\r\nConnection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: x\r\n'
  const server = await recorder(t, {
    request: (_, socket) => socket.write(answerOf('hello', lines)),
  })
  const head = headOf(await send(upstreamOf(t, [server.port])).outcome)
  assert.equal(head.status, 200)
  assert.deepEqual(head.headers, ['Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'content-length', '5'])
  assert.equal(head.stream.bytesDeclared, 5)
  assert.deepEqual(await readAll(head), { text: 'hello', trailers: null, failure: null })
})

test('a connection is used again, and trailers and interim answers arrive', async (t) => {
  const chunked =
    'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n' +
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n' +
    '5\r\nhello\r\n0\r\nX-Sum: 42\r\nSet-Cookie: a=b\r\n\r\n'
  const server = await recorder(t, { request: (_, socket) => socket.write(chunked) })
  const upstream = upstreamOf(t, [server.port])
  for (let i = 0; i < 3; i++) {
    const sent = send(upstream)
    const read = await readAll(headOf(await sent.outcome))
    assert.deepEqual(read, { text: 'hello', trailers: ['X-Sum', '42'], failure: null })
    assert.deepEqual(sent.interims, [103])
    await idle()
  }
  assert.deepEqual(
    server.requests.map(({ connection }) => connection),
    [1, 1, 1],
  )
})

test('an answer that nobody reads pauses the upstream', async (t) => {
  let written = 0
  const chunk = Buffer.alloc(64 * 1024, 'x')
  const total = 64 * 1024 * 1024
  const pump = (socket: Socket): void => {
    while (written < total) {
      written += chunk.length
      if (!socket.write(chunk)) return void socket.once('drain', () => pump(socket))
    }
  }
  const server = await recorder(t, {
    request: (_, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${total}\r\n\r\n`)
      pump(socket)
    },
  })
  const head = headOf(await send(upstreamOf(t, [server.port])).outcome)
  let last = -1
  await until('the upstream stands still', () => {
    const still = last === written
    last = written
    return still && written > 0
  })
  assert.ok(written < total / 2, `${written} bytes were taken though nobody reads`)
  let seen = 0
  let pauses = 0
  const done = Promise.withResolvers<void>()
  head.stream.start({
    data(part) {
      seen += part.length
      if (pauses++ % 7 !== 0) return 'more'
      setImmediate(() => head.stream.resume())
      return 'pause'
    },
    end: () => done.resolve(),
    fail: (failure) => done.reject(new Error(failure.cause)),
  })
  await done.promise
  assert.equal(seen, total)
})

test('an upload is paced by an upstream that does not read', async (t) => {
  const server = await recorder(t, { head: (_, socket) => void socket.pause() })
  const body = new HandBody(null)
  const sent = send(upstreamOf(t, [server.port]), { method: 'POST', body })
  await until('the body is asked for', () => body.sink !== null)
  const chunk = Buffer.alloc(64 * 1024, 'x')
  let given = 0
  for (; given < 1_000; given++) {
    const resumes = body.resumes
    if (body.sink?.data(chunk) === 'more') continue
    const again = until('resumed', () => body.resumes > resumes, 300)
    if ((await Promise.allSettled([again]))[0]?.status === 'rejected') break
  }
  assert.ok(given < 200, `${given} chunks of 64 KiB were taken`)
  const resumes = body.resumes
  for (const socket of server.sockets) socket.resume()
  await until('resumed when the upstream reads again', () => body.resumes > resumes)
  sent.call.abort()
  assert.equal(failureOf(await sent.outcome).cause, 'client-closed')
})

test('a body of known length goes with it, one of unknown length in chunks', async (t) => {
  const server = await recorder(t, { request: (_, socket) => socket.write(answerOf('ok')) })
  const upstream = upstreamOf(t, [server.port])
  for (const [length, framing] of [
    [5, 'content-length'],
    [null, 'transfer-encoding'],
  ] as const) {
    const body = new HandBody(length)
    const sent = send(upstream, { method: 'POST', body })
    await until('the body is asked for', () => body.sink !== null)
    body.sink?.data(Buffer.from('he'))
    body.sink?.data(Buffer.from('llo'))
    body.sink?.end()
    await readAll(headOf(await sent.outcome))
    const seen = server.requests.at(-1)
    assert.equal(seen?.body, 'hello')
    assert.equal(valuesOf(seen?.headers ?? [], framing).length, 1)
  }
  const buffered = send(upstream, { method: 'POST', body: Buffer.from('bytes') })
  await readAll(headOf(await buffered.outcome))
  assert.equal(server.requests.at(-1)?.body, 'bytes')
  assert.deepEqual(server.errors, [])
})

test('an early answer arrives while the body is still being sent', async (t) => {
  const server = await recorder(t, {
    head: (_, socket) => socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno'),
  })
  const body = new HandBody(null)
  const sent = send(upstreamOf(t, [server.port]), { method: 'POST', body })
  await until('the body is asked for', () => body.sink !== null)
  body.sink?.data(Buffer.from('first'))
  const head = headOf(await sent.outcome)
  assert.equal(head.status, 413)
  assert.equal((await readAll(head)).text, 'no')
  assert.equal(body.sink?.data(Buffer.alloc(1024)), 'more')
  body.sink?.end()
})

test('answers without a body have none, whatever their head says', async (t) => {
  const server = await recorder(t, {
    request: ({ target, method }, socket) => {
      const status = Number(target.slice(1))
      socket.end(
        `HTTP/1.1 ${status} S\r\ncontent-length: 3\r\n\r\n${method === 'HEAD' ? '' : 'abc'}`,
      )
    },
  })
  for (const [method, status] of [
    ['GET', 204],
    ['GET', 205],
    ['GET', 304],
    ['HEAD', 200],
  ] as const) {
    const head = headOf(
      await send(upstreamOf(t, [server.port]), { method, target: `/${status}` }).outcome,
    )
    assert.equal((await readAll(head)).text, '', `${method} ${status}`)
    const lengths = valuesOf(head.headers, 'content-length')
    assert.deepEqual(lengths, status === 204 ? [] : [status === 205 ? '0' : '3'])
  }
})

test('an endpoint that is taken away finishes what it carries and gets nothing new', async (t) => {
  const waiting: Socket[] = []
  const first = await recorder(t, { request: (_, socket) => void waiting.push(socket) })
  const second = await recorder(t, { request: (_, socket) => socket.write(answerOf('new')) })
  const upstream = upstreamOf(t, [first.port])
  const slow = send(upstream)
  await until('the request is there', () => waiting.length === 1)
  setPorts(upstream, [second.port], 2)
  assert.equal(await textOf(upstream), 'new')
  waiting[0]?.write(answerOf('old'))
  assert.equal((await readAll(headOf(await slow.outcome))).text, 'old')
  await until('its connection is closed', () => first.sockets.every((socket) => socket.destroyed))
  assert.equal(first.requests.length, 1)
})

test('an abort before the answer ends the call once', async (t) => {
  const server = await recorder(t, {})
  const upstream = upstreamOf(t, [server.port])
  const sent = send(upstream)
  await until('the request is there', () => server.requests.length === 1)
  sent.call.abort()
  sent.call.abort()
  assert.equal(failureOf(await sent.outcome).cause, 'client-closed')
  await until('the connection is given up', () =>
    server.sockets.every((socket) => socket.destroyed),
  )
  const early = send(upstream)
  early.call.abort()
  assert.equal(failureOf(await early.outcome).cause, 'client-closed')
})

test('an abandoned stream gives up its connection and says nothing more', async (t) => {
  const server = await recorder(t, {
    request: (_, socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello'),
  })
  const head = headOf(await send(upstreamOf(t, [server.port])).outcome)
  head.stream.start({ data: () => 'more', end: () => assert.fail(), fail: () => assert.fail() })
  head.stream.abort()
  await until('the connection is given up', () =>
    server.sockets.every((socket) => socket.destroyed),
  )
})
