/** Proves the outgoing side against a TCP server that answers byte by byte what a test says. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { Backend } from '#wire/table'
import type { BodySink, RequestBody } from '../request/exchange.ts'
import type { Failure } from '../request/failure.ts'
import { Deadlines } from './deadlines.ts'
import {
  answerOf,
  startRecorder,
  until,
  valuesOf,
  type Recorder,
  type Script,
} from './fake/recorder.ts'
import { UndiciUpstream } from './undici.ts'
import type { UpstreamCall, UpstreamHead, UpstreamRequest } from './upstream.ts'

const now = (): number => Number(process.hrtime.bigint()) / 1e6
const BACKEND: Backend = { protocol: 'http', clusterAddress: null }
const KEY = 'shop/books:80'

function upstreamOf(t: TestContext, ports: readonly number[]): UndiciUpstream {
  const deadlines = new Deadlines(now)
  const upstream = new UndiciUpstream({ now, random: () => 0, deadlines })
  upstream.backends(new Map([[KEY, BACKEND]]))
  setPorts(upstream, ports)
  t.after(async () => {
    deadlines.stop()
    await upstream.destroy()
  })
  return upstream
}

function setPorts(upstream: UndiciUpstream, ports: readonly number[], version = 1): void {
  const endpoints = ports.map((port) => ({ address: '127.0.0.1', port, zone: null }))
  upstream.endpoints({ backend: KEY, version, endpoints })
}

async function recorder(t: TestContext, script: Script): Promise<Recorder> {
  const started = await startRecorder(script)
  t.after(() => started.close())
  return started
}

function requestOf(some: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    backend: KEY,
    method: 'GET',
    target: '/x',
    host: 'shop.example.com',
    headers: [],
    body: null,
    deadlineMs: now() + 5_000,
    ...some,
  }
}

interface Sent {
  readonly call: UpstreamCall
  readonly outcome: Promise<UpstreamHead | Failure>
  readonly interims: number[]
}

function send(upstream: UndiciUpstream, some: Partial<UpstreamRequest> = {}): Sent {
  const { promise, resolve } = Promise.withResolvers<UpstreamHead | Failure>()
  const interims: number[] = []
  const call = upstream.send(requestOf(some), {
    head: resolve,
    failed: resolve,
    interim: (status) => void interims.push(status),
  })
  return { call, outcome: promise, interims }
}

function headOf(outcome: UpstreamHead | Failure): UpstreamHead {
  assert.ok(!('kind' in outcome), `failed: ${JSON.stringify(outcome)}`)
  return outcome
}

function failureOf(outcome: UpstreamHead | Failure): Failure {
  assert.ok('kind' in outcome, 'expected a failure')
  return outcome
}

interface Read {
  readonly text: string
  readonly trailers: readonly string[] | null
  readonly failure: Failure | null
}

function readAll(head: UpstreamHead): Promise<Read> {
  const { promise, resolve } = Promise.withResolvers<Read>()
  let text = ''
  head.stream.start({
    data(chunk) {
      text += chunk.toString('latin1')
      return 'more'
    },
    end: (trailers) => resolve({ text, trailers, failure: null }),
    fail: (failure) => resolve({ text, trailers: null, failure }),
  })
  return promise
}

async function text(
  upstream: UndiciUpstream,
  some: Partial<UpstreamRequest> = {},
): Promise<string> {
  const read = await readAll(headOf(await send(upstream, some).outcome))
  await idle()
  return read.text
}

/** undici looks at a connection once more, a turn of the loop later, before it uses it again. */
async function idle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** A body that a test feeds by hand, and that says how it was paced. */
class HandBody implements RequestBody {
  readonly empty = false
  readonly bytesDeclared: number | null
  sink: BodySink | null = null
  resumes = 0
  constructor(bytesDeclared: number | null = null) {
    this.bytesDeclared = bytesDeclared
  }
  start(sink: BodySink): void {
    this.sink = sink
  }
  resume(): void {
    this.resumes++
  }
}

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
  await text(upstream, { headers, target: '/a%2Fb?q=%20' })
  const seen = server.requests[0]
  assert.equal(seen?.target, '/a%2Fb?q=%20')
  assert.deepEqual(seen?.headers, [
    ...['host', 'shop.example.com', 'connection', 'keep-alive'],
    ...['X-One', '1', 'x-one', '2', 'Accept', '*/*'],
  ])
  assert.deepEqual(server.errors, [])
})

test('an answer comes with its raw headers, without what is hop-by-hop', async (t) => {
  const lines =
    'Set-Cookie: a=1\r\nset-cookie: b=2\r\nConnection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n'
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
    'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n' +
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
  let more = true
  for (; more && given < 1000; given++) {
    if (body.sink?.data(chunk) === 'pause') {
      const before = body.resumes
      await Promise.race([
        until('resumed', () => body.resumes > before, 300).catch(() => (more = false)),
      ])
    }
  }
  assert.ok(given < 200, `${given} chunks of 64 KiB were taken`)
  for (const socket of server.sockets) socket.resume()
  await until('resumed when the upstream reads again', () => body.resumes > 0)
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

test('the deadline covers the wait for a connection too', async (t) => {
  const upstream = upstreamOf(t, [])
  upstream.endpoints({
    backend: KEY,
    version: 2,
    endpoints: [{ address: '192.0.2.1', port: 9, zone: null }],
  })
  const outcome = failureOf(await send(upstream, { deadlineMs: now() + 50 }).outcome)
  assert.ok(['upstream-timeout', 'upstream-connect'].includes(outcome.cause), outcome.cause)
})

const BROKEN: readonly (readonly [string, string, string])[] = [
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
    'an unasked 100',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n',
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

test('every broken answer fails with its cause, and without its bytes', async (t) => {
  for (const [what, bytes, cause] of BROKEN) {
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
  assert.equal(await text(upstream), 'ok')
  assert.equal(await text(upstream), 'ok')
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
  assert.equal(await text(upstream), 'ok')
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
  await text(upstream)
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

test('an endpoint that is taken away finishes what it carries and gets nothing new', async (t) => {
  const waiting: Socket[] = []
  const first = await recorder(t, { request: (_, socket) => void waiting.push(socket) })
  const second = await recorder(t, { request: (_, socket) => socket.write(answerOf('new')) })
  const upstream = upstreamOf(t, [first.port])
  const slow = send(upstream)
  await until('the request is there', () => waiting.length === 1)
  setPorts(upstream, [second.port], 2)
  assert.equal(await text(upstream), 'new')
  waiting[0]?.write(answerOf('old'))
  assert.equal((await readAll(headOf(await slow.outcome))).text, 'old')
  await until('its connection is closed', () => first.sockets.every((socket) => socket.destroyed))
  assert.equal(first.requests.length, 1)
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
  assert.equal(await text(upstream), 'ok')
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
