/**
 * Proves http2-lane.ts and http2-attempt.ts through calls to a real HTTP/2 server without TLS.
 */
import assert from 'node:assert/strict'
import {
  constants,
  createServer,
  type Http2Server,
  type Http2Stream,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import { test, type TestContext } from 'node:test'
import { Deadlines } from './deadlines.ts'
import {
  failureOf,
  HandBody,
  headOf,
  KEY,
  now,
  readAll,
  requestOf,
  send,
  textOf,
} from './fake/outgoing.ts'
import { portOf, until } from './fake/recorder.ts'
import { Http2Lane } from './http2-lane.ts'
import { UndiciUpstream } from './undici.ts'
import { callOptions, placed } from './fake/options.ts'

type Script = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

function isServers(stream: Http2Stream): stream is ServerHttp2Stream {
  return 'respond' in stream
}

/** Without TLS; `streamsMax` is what it lets a connection carry. */
async function listening(
  t: TestContext,
  script: Script,
  streamsMax: number,
): Promise<{ readonly port: number; readonly sessions: () => number }> {
  let sessions = 0
  const server: Http2Server = createServer({ settings: { maxConcurrentStreams: streamsMax } })
  server.on('session', (session) => {
    sessions++
    t.after(() => session.destroy())
  })
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    if (isServers(stream)) script(stream, headers)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => new Promise((resolve) => server.close(resolve)))
  return { port: portOf(server), sessions: () => sessions }
}

async function h2c(
  t: TestContext,
  script: Script,
  streamsMax = 100,
): Promise<{ readonly upstream: UndiciUpstream; readonly sessions: () => number }> {
  const { port, sessions } = await listening(t, script, streamsMax)
  const deadlines = new Deadlines(now)
  const upstream = new UndiciUpstream(callOptions(deadlines))
  upstream.backends(new Map([[KEY, { protocol: 'h2c', clusterAddress: null }]]))
  const endpoints = [{ address: '127.0.0.1', port, zone: null }]
  upstream.endpoints(placed({ backend: KEY, version: 1, endpoints }))
  t.after(async () => {
    deadlines.stop()
    await upstream.destroy()
  })
  return { upstream, sessions }
}

test('requests share one connection, headers and cookies survive', async (t) => {
  const seen: IncomingHttpHeaders[] = []
  const { upstream, sessions } = await h2c(t, (stream, headers) => {
    seen.push(headers)
    stream.respond({ ':status': 200, 'set-cookie': ['a=1', 'b=2'], 'x-a': '1' })
    stream.end(`hello ${headers[':path']}`)
  })
  const paths = Array.from({ length: 20 }, (_, i) => `/${i}`)
  const bodies = await Promise.all(
    paths.map(async (target) => {
      const head = headOf(await send(upstream, { target, headers: ['x-b', '2'] }).outcome)
      assert.equal(head.status, 200)
      const cookies = head.headers.filter((_, i) => head.headers[i - 1] === 'set-cookie')
      assert.deepEqual(cookies, ['a=1', 'b=2'])
      return (await readAll(head)).text
    }),
  )
  assert.deepEqual(
    bodies,
    paths.map((path) => `hello ${path}`),
  )
  assert.equal(sessions(), 1)
  assert.equal(seen[0]?.[':authority'], 'shop.example.com')
  assert.equal(seen[0]?.['x-b'], '2')
})

test('both directions stream, and trailers arrive', async (t) => {
  const { upstream } = await h2c(t, (stream) => {
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc' },
      { waitForTrailers: true },
    )
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.pipe(stream)
  })
  const body = new HandBody(null)
  const sent = send(upstream, { method: 'POST', body, headers: ['te', 'trailers'] })
  await until('the body is asked for', () => body.sink !== null)
  body.sink?.data(Buffer.from('ping '))
  const read = readAll(headOf(await sent.outcome))
  body.sink?.data(Buffer.from('pong'))
  body.sink?.end()
  assert.deepEqual(await read, { text: 'ping pong', trailers: ['grpc-status', '0'], failure: null })
})

test('trailers of a request follow its body, without those that a hop or a head decides', async (t) => {
  const seen: string[] = []
  const { upstream } = await h2c(t, (stream) => {
    stream.on('trailers', (_fields, _flags, raw) => seen.push(...raw))
    stream.on('end', () => {
      stream.respond({ ':status': 200 })
      stream.end('read')
    })
    stream.resume()
  })
  const body = new HandBody()
  const sent = send(upstream, { method: 'POST', body })
  await until('the body is asked for', () => body.sink !== null)
  body.sink?.data(Buffer.from('ping'))
  const odd = ['constructor', 'c', '__proto__', 'p', 'User-Agent', 'a', 'User-Agent', 'b']
  body.sink?.end(['X-Sum', '1', 'Content-Length', '9', 'X-Sum', '2', 'Connection', 'close', ...odd])
  assert.equal((await readAll(headOf(await sent.outcome))).text, 'read')
  assert.deepEqual(seen, ['x-sum', '1', 'x-sum', '2', ...odd.map((text) => text.toLowerCase())])
})

test('a stream that is reset fails its own request alone', async (t) => {
  const { upstream, sessions } = await h2c(t, (stream, headers) => {
    if (headers[':path'] === '/reset') stream.close(2)
    else {
      stream.respond({ ':status': 200 })
      stream.end('fine')
    }
  })
  const [reset, fine] = await Promise.all([
    send(upstream, { target: '/reset', method: 'POST' }).outcome,
    send(upstream, { target: '/fine' }).outcome,
  ])
  assert.equal(failureOf(reset).cause, 'upstream-reset')
  assert.equal((await readAll(headOf(fine))).text, 'fine')
  assert.equal(sessions(), 1)
})

test('a deadline and an abort end the stream, not the connection', async (t) => {
  const open = new Set<ServerHttp2Stream>()
  const { upstream, sessions } = await h2c(t, (stream, headers) => {
    if (headers[':path'] === '/fine') {
      stream.respond({ ':status': 200 })
      stream.end('fine')
      return
    }
    open.add(stream)
    stream.on('close', () => open.delete(stream))
  })
  const late = send(upstream, { target: '/late', deadlineMs: now() + 60 })
  const left = send(upstream, { target: '/left' })
  await until('both are there', () => open.size === 2)
  left.call.abort()
  assert.equal(failureOf(await left.outcome).cause, 'client-closed')
  assert.equal(failureOf(await late.outcome).cause, 'upstream-timeout')
  await until('both have ended', () => open.size === 0)
  assert.equal(
    (await readAll(headOf(await send(upstream, { target: '/fine' }).outcome))).text,
    'fine',
  )
  assert.equal(sessions(), 1)
})

test('a request that is given up is cancelled, never completed', async (t) => {
  const seen: { bytes: number; code: number | null } = { bytes: 0, code: null }
  const { upstream } = await h2c(t, (stream) => {
    stream.on('data', (chunk: Buffer) => (seen.bytes += chunk.length))
    stream.on('close', () => (seen.code = stream.rstCode))
  })
  const body = new HandBody(null)
  const sent = send(upstream, { method: 'POST', body })
  await until('the body is asked for', () => body.sink !== null)
  body.sink?.data(Buffer.from('half of it'))
  await until('the server has it', () => seen.bytes === 10)
  sent.call.abort()
  await until('the server is told', () => seen.code !== null)
  assert.equal(seen.code, constants.NGHTTP2_CANCEL)
})

test('a client that leaves within its body cancels the stream', async (t) => {
  const codes: number[] = []
  const { upstream } = await h2c(t, (stream) => {
    stream.resume()
    stream.on('close', () => codes.push(stream.rstCode))
  })
  const body = new HandBody(null)
  const sent = send(upstream, { method: 'POST', body })
  await until('the body is asked for', () => body.sink !== null)
  body.sink?.data(Buffer.from('half of it'))
  body.sink?.abort()
  assert.equal(failureOf(await sent.outcome).cause, 'client-closed')
  await until('the server is told', () => codes.length === 1)
  assert.equal(codes[0], constants.NGHTTP2_CANCEL)
})

test('what does not fit into a connection gets another one', async (t) => {
  const open: ServerHttp2Stream[] = []
  const { upstream, sessions } = await h2c(t, (stream) => void open.push(stream), 2)
  const sent = [1, 2, 3, 4, 5].map(() => send(upstream, {}).outcome)
  await until('all are there', () => open.length === 5)
  assert.equal(sessions(), 3)
  for (const stream of open) {
    stream.respond({ ':status': 200 })
    stream.end('done')
  }
  for (const outcome of sent) assert.equal((await readAll(headOf(await outcome))).text, 'done')
})

test('beyond the bound of connections requests wait for a stream, those that are wanted', async (t) => {
  const waiting: ServerHttp2Stream[] = []
  const { port, sessions } = await listening(t, (stream) => void waiting.push(stream), 1)
  const lane = new Http2Lane({ address: '127.0.0.1', port, zone: null }, 2)
  t.after(() => lane.destroy())
  const seen: string[] = []
  const made = Array.from({ length: 5 }, (_, i) =>
    lane.dispatch(requestOf(), {
      sent: () => undefined,
      interim: () => undefined,
      answered: (attempt, head) => {
        seen.push(`${i} ${head.status}`)
        head.stream.start({ data: () => 'more', end: () => undefined, fail: () => undefined })
        assert.ok(attempt === made[i])
      },
      failed: (_attempt, { cause }) => void seen.push(`${i} ${cause}`),
      over: () => undefined,
    }),
  )
  await until('two are at the backend', () => waiting.length === 2)
  made[3]?.abort()
  for (let answered = 0; answered < 4; answered++) {
    await until('another is there', () => waiting.length > answered)
    waiting[answered]?.respond({ ':status': 200 }, { endStream: true })
  }
  await until('all are answered', () => seen.length === 4)
  assert.deepEqual(seen.toSorted(), ['0 200', '1 200', '2 200', '4 200'])
  assert.equal(sessions(), 2)
})

test('a peer that takes no stream is given up, and not asked in a loop', async (t) => {
  const { upstream, sessions } = await h2c(t, () => assert.fail('it takes nothing'), 0)
  const failure = failureOf(await send(upstream, {}).outcome)
  assert.equal(failure.cause, 'upstream-connect')
  assert.ok(sessions() <= 3, `${sessions()} connections`)
})

test('a connection that says goodbye finishes what it carries, and gets nothing new', async (t) => {
  const open: ServerHttp2Stream[] = []
  const { upstream, sessions } = await h2c(t, (stream) => void open.push(stream))
  const before = send(upstream, {}).outcome
  await until('it is there', () => open.length === 1)
  open[0]?.session?.close()
  await until('the next one comes over another connection', async () => {
    void send(upstream, {}).outcome
    await new Promise((resolve) => setImmediate(resolve))
    return sessions() === 2
  })
  open[0]?.respond({ ':status': 200 })
  open[0]?.end('finished')
  assert.equal((await readAll(headOf(await before))).text, 'finished')
  for (const stream of open) stream.close()
})

test('an answer that is whole before anybody reads it is not lost', async (t) => {
  const { upstream } = await h2c(t, (stream) => {
    stream.respond({ ':status': 200 }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-end': '1' }))
    stream.end('all of it')
  })
  const head = headOf(await send(upstream, {}).outcome)
  // Others go to the server and back meanwhile.
  await textOf(upstream)
  await textOf(upstream)
  assert.deepEqual(await readAll(head), {
    text: 'all of it',
    trailers: ['x-end', '1'],
    failure: null,
  })
})

test('an answer that breaks off, or is no answer, is a failure with its cause', async (t) => {
  const { upstream } = await h2c(t, (stream, headers) => {
    switch (headers[':path']) {
      case '/short':
        stream.respond({ ':status': 200, 'content-length': '100' })
        stream.write('some', () => stream.close(constants.NGHTTP2_INTERNAL_ERROR))
        break
      case '/fields':
        stream.respond({
          ':status': 200,
          ...Object.fromEntries(Array.from({ length: 104 }, (_, i) => [`x-${i}`, '1'])),
        })
        stream.end()
        break
      default:
        stream.close(constants.NGHTTP2_REFUSED_STREAM)
    }
  })
  const short = await readAll(headOf(await send(upstream, { target: '/short' }).outcome))
  assert.equal(short.failure?.cause, 'upstream-reset')
  const fields = failureOf(await send(upstream, { target: '/fields' }).outcome)
  assert.equal(fields.cause, 'upstream-invalid')
  const refused = failureOf(await send(upstream, { target: '/refused', method: 'POST' }).outcome)
  assert.equal(refused.cause, 'upstream-reset')
  assert.equal(refused.retry, 'always')
})

test('a backend that is not there has consumed nothing of the request', async (t) => {
  const { upstream } = await h2c(t, () => undefined)
  const endpoints = [{ address: '127.0.0.1', port: 1, zone: null }]
  upstream.endpoints(placed({ backend: KEY, version: 2, endpoints }))
  const body = new HandBody(null)
  const failure = failureOf(await send(upstream, { method: 'POST', body }).outcome)
  assert.equal(failure.cause, 'upstream-connect')
  assert.equal(body.sink, null)
})
