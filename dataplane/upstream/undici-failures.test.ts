/**
 * Proves what becomes of a request whose backend, connection or client fails.
 */
import assert from 'node:assert/strict'
import type { Failure } from '../request/failure.ts'
import {
  failureOf,
  HandBody,
  headOf,
  KEY,
  now,
  onBothLanes as test,
  readAll,
  recorder,
  requestOf,
  send,
  setPorts,
  textOf,
  upstreamOf,
} from './fake/outgoing.ts'
import { answerOf, startRecorder, until } from './fake/recorder.ts'
import { placed } from './fake/options.ts'

const BROKEN: readonly (readonly [string, string, string])[] = [
  ['a control character', 'HTTP/1.1 200 OK\r\nx-a: a\u0001b\r\n\r\n', 'upstream-invalid'],
  ['a folded line', 'HTTP/1.1 200 OK\r\nx-a: a\r\n b\r\n\r\n', 'upstream-invalid'],
  ['a space in a name', 'HTTP/1.1 200 OK\r\nx-a : a\r\n\r\n', 'upstream-invalid'],
  ['closes without an answer', '', 'upstream-reset'],
  ['stops within the head', 'HTTP/1.1 200 OK\r\ncontent-le', 'upstream-reset'],
  [
    'two lengths',
    'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx',
    'upstream-invalid',
  ],
  [
    'two equal lengths',
    'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\nx',
    'upstream-invalid',
  ],
  ['a signed length', 'HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\nx', 'upstream-invalid'],
  [
    'length and chunks',
    'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    'upstream-invalid',
  ],
  ['not HTTP', 'SSH-2.0-OpenSSH\r\n\r\n', 'upstream-invalid'],
  ['status 099', 'HTTP/1.1 099 Odd\r\ncontent-length: 0\r\n\r\n', 'upstream-invalid'],
  ['status 600', 'HTTP/1.1 600 Odd\r\ncontent-length: 0\r\n\r\n', 'upstream-invalid'],
  [
    'a switch nobody asked for',
    'HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
    'upstream-reset',
  ],
  [
    'endless interim answers',
    'HTTP/1.1 103 Early\r\nlink: </a>\r\n\r\n'.repeat(50),
    'upstream-invalid',
  ],
  ['too many headers', `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(500)}\r\n`, 'upstream-invalid'],
  ['too large headers', `HTTP/1.1 200 OK\r\na: ${'b'.repeat(100_000)}\r\n\r\n`, 'upstream-invalid'],
]

/** Where our own lane says more exactly what has happened. */
const OWN: Readonly<Record<string, string>> = { 'a switch nobody asked for': 'upstream-invalid' }

test('a client that leaves in the middle of its body ends the request', async (t) => {
  const server = await recorder(t, {})
  const body = new HandBody(10)
  const sent = send(upstreamOf(t, [server.port]), { method: 'POST', body })
  await until('the body is asked for', () => body.sink !== null)
  body.sink?.data(Buffer.from('he'))
  body.sink?.abort()
  assert.equal(failureOf(await sent.outcome).cause, 'client-closed')
  await until('the connection is given up', () =>
    server.sockets.every((socket) => socket.destroyed),
  )
})

test('a deadline ends the wait, and the connection with it', async (t) => {
  const server = await recorder(t, {})
  const started = now()
  const sent = send(upstreamOf(t, [server.port]), { deadlineMs: started + 60 })
  assert.equal(failureOf(await sent.outcome).cause, 'upstream-timeout')
  const took = now() - started
  assert.ok(took >= 60 && took < 1_000, `${took} ms`)
  await until('the connection is given up', () =>
    server.sockets.every((socket) => socket.destroyed),
  )
})

test('nothing is sent after the deadline', async (t) => {
  const server = await recorder(t, { request: (_, socket) => socket.write(answerOf('ok')) })
  const upstream = upstreamOf(t, [server.port])
  assert.equal(await textOf(upstream), 'ok')
  const outcome = failureOf(await send(upstream, { deadlineMs: now() }).outcome)
  assert.equal(outcome.cause, 'upstream-timeout')
  assert.equal(await textOf(upstream), 'ok')
  assert.equal(server.requests.length, 2)
})

test('the deadline covers the wait for a connection too', async (t) => {
  const upstream = upstreamOf(t, [])
  const endpoints = [{ address: '192.0.2.1', port: 9, zone: null }]
  upstream.endpoints(placed({ backend: KEY, version: 2, endpoints }))
  const outcome = failureOf(await send(upstream, { deadlineMs: now() + 50 }).outcome)
  assert.ok(['upstream-timeout', 'upstream-connect'].includes(outcome.cause), outcome.cause)
})

test('every broken answer fails with its cause, and without its bytes', async (t, http1) => {
  for (const [what, bytes, undiciSays] of BROKEN) {
    const cause = http1 === 'own' ? (OWN[what] ?? undiciSays) : undiciSays
    const server = await recorder(t, { request: (_, socket) => void socket.end(bytes, 'latin1') })
    const upstream = upstreamOf(t, [server.port])
    const failure = failureOf(await send(upstream).outcome)
    assert.equal(failure.cause, cause, what)
    assert.ok(!/\d/.test(failure.detail), failure.detail)
    // One request after it on the same pool still gets its answer or the same failure.
    assert.equal(failureOf(await send(upstream).outcome).cause, cause, `${what}, again`)
  }
})

test('an answer that ends early is a failure of the stream, never its end', async (t) => {
  const answers = [
    'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n',
  ]
  for (const answer of answers) {
    const server = await recorder(t, { request: (_, socket) => void socket.end(answer) })
    const read = await readAll(headOf(await send(upstreamOf(t, [server.port])).outcome))
    assert.equal(read.text, 'hello')
    assert.match(read.failure?.cause ?? 'it ended', /^upstream-(reset|invalid)$/)
  }
})

test('a closed idle connection costs a safe request nothing', async (t) => {
  let sabotage = 0
  const server = await recorder(t, {
    request: ({ nth }, socket) => {
      if (nth > 1) {
        sabotage++
        socket.destroy() // as if it had been closed while the request was on its way
      } else socket.write(answerOf('ok'))
    },
  })
  const upstream = upstreamOf(t, [server.port])
  assert.equal(await textOf(upstream), 'ok')
  assert.equal(await textOf(upstream), 'ok')
  assert.equal(sabotage, 1)
})

test('what was sent once is never sent twice', async (t) => {
  const server = await recorder(t, {
    request: ({ nth }, socket) => {
      if (nth > 1) socket.destroy()
      else socket.write(answerOf('ok'))
    },
  })
  const upstream = upstreamOf(t, [server.port])
  assert.equal(await textOf(upstream), 'ok')
  const count = server.requests.length
  const posted = await send(upstream, { method: 'POST' }).outcome
  assert.equal(failureOf(posted).cause, 'upstream-reset')
  assert.equal(server.requests.length, count + 1)
})

test('a second reset in a row is a failure', async (t) => {
  let closing = 'no'
  const server = await recorder(t, {
    request: (_, socket) => {
      if (closing === 'yes') socket.destroy()
      else socket.write(answerOf('ok'))
    },
  })
  const upstream = upstreamOf(t, [server.port])
  await textOf(upstream)
  closing = 'yes'
  assert.equal(failureOf(await send(upstream).outcome).cause, 'upstream-reset')
  assert.equal(server.requests.length, 3)
})

test('an endpoint that refuses connections is passed over, whatever the method', async (t) => {
  const server = await recorder(t, { request: (_, socket) => socket.write(answerOf('ok')) })
  const gone = await startRecorder({})
  await gone.close()
  const upstream = upstreamOf(t, [gone.port, server.port])
  for (let i = 0; i < 6; i++) {
    const body = new HandBody(2)
    const sent = send(upstream, { method: 'POST', body })
    await until('the body is asked for', () => body.sink !== null)
    body.sink?.data(Buffer.from('hi'))
    body.sink?.end()
    assert.equal(headOf(await sent.outcome).status, 200)
  }
  assert.equal(server.requests.length, 6)
  setPorts(upstream, [gone.port], 2)
  assert.equal(failureOf(await send(upstream).outcome).cause, 'upstream-connect')
})

test('a backend without endpoints, or that nobody names, has none', async (t) => {
  const upstream = upstreamOf(t, [])
  for (const backend of [KEY, 'shop/unknown:80']) {
    let returned = 'no'
    const { promise, resolve } = Promise.withResolvers<Failure>()
    const failed = (failure: Failure): void => {
      assert.equal(returned, 'yes', 'called before send had returned')
      resolve(failure)
    }
    upstream.send(requestOf({ backend }), { head: () => assert.fail('answered'), failed })
    returned = 'yes'
    assert.equal((await promise).cause, 'no-endpoint')
  }
})

test('a pool survives requests that the client library refuses', async (t) => {
  const server = await recorder(t, { request: (_, socket) => socket.write(answerOf('ok')) })
  const upstream = upstreamOf(t, [server.port])
  for (let i = 0; i < 30; i++) {
    const bad = await send(upstream, {
      target: i % 2 === 0 ? '*' : '/x',
      headers: ['bad name', '1'],
    }).outcome
    assert.equal(failureOf(bad).cause, 'bug')
  }
  assert.equal(await textOf(upstream), 'ok')
})
