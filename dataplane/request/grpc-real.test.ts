/**
 * gRPC through the whole walk: a client and a server of its framing on node:http2, with a front, a
 * table and an upstream between them.
 */
import assert from 'node:assert/strict'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  createServer,
  type Http2Stream,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import { test, type TestContext } from 'node:test'
import type { Rule } from '#wire/table'
import { buildEnvironment, GATEWAY, hostObject, pathMatch } from '../../test/fake/table.ts'
import { tableChange, tableObject, tableRule } from '../../test/fake/table.ts'
import { monotonicMs, wallClockMs } from '../clock.ts'
import { Front } from '../front/front.ts'
import { createBeside } from '../runtime/beside.ts'
import { emptyTable, swapTable, TableBuilder } from '../runtime/build.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { Deadlines } from '../upstream/deadlines.ts'
import { callOptions, placed } from '../upstream/fake/options.ts'
import { portOf, until } from '../upstream/fake/recorder.ts'
import { UndiciUpstream } from '../upstream/undici.ts'
import { idSource } from './id.ts'
import type { ExchangeRecord } from './record.ts'
import { serve } from './serve.ts'

const BACKEND = 'shop/books:80'
const ABSENT = 'shop/gone:80'
const GRPC = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' }

type Method = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

interface Walk {
  readonly client: ClientHttp2Session
  readonly records: ExchangeRecord[]
  readonly bugs: unknown[]
}

/** `methods`: what the server does for each path. */
async function walk(t: TestContext, methods: Readonly<Record<string, Method>>): Promise<Walk> {
  const port = await startServer(t, methods)
  const deadlines = new Deadlines(monotonicMs)
  const upstream = new UndiciUpstream(callOptions(deadlines))
  const records: ExchangeRecord[] = []
  const bugs: unknown[] = []
  const runtime: Runtime = {
    table: emptyTable(),
    upstream,
    limiter: {
      take: () => ({ kind: 'admitted', standings: [], held: [], observed: [] }),
      release: () => undefined,
    },
    httpsPort: null,
    sinks: [{ record: (record) => void records.push(record) }],
    beside: createBeside(),
    bug: (error) => void bugs.push(error),
  }
  const backends = [BACKEND, ABSENT].map((key) =>
    tableObject('backend', key, { protocol: 'h2c', clusterAddress: null }),
  )
  const rules = [rule('gone', '/gone', ABSENT), rule('all', '/**', BACKEND)]
  const host = hostObject(
    '*',
    rules.map(({ key }) => key),
  )
  const change = tableChange('snapshot', [GATEWAY, ...backends, ...rules, host])
  assert.deepEqual(swapTable(runtime, new TableBuilder(buildEnvironment()), change), [])
  const endpoints = [{ address: '127.0.0.1', port, zone: null }]
  upstream.endpoints(placed({ backend: BACKEND, version: 1, endpoints }))
  const front = new Front({
    now: monotonicMs,
    wallClock: wallClockMs,
    newId: idSource(new Uint8Array([1, 2, 3, 4, 5]), wallClockMs),
    deadlines,
    trustedProxies: () => runtime.table.trustedProxies,
    tls: () => runtime.table.tls,
    serve: (exchange) => void serve(exchange, runtime),
    refused: () => undefined,
    bug: (error) => void bugs.push(error),
  })
  const at = await front.listen({ host: '127.0.0.1', port: 0, reusePort: false })
  const client = connect(`http://127.0.0.1:${at.port}`)
  t.after(async () => {
    client.destroy()
    front.destroy()
    deadlines.stop()
    await upstream.destroy()
  })
  return { client, records, bugs }
}

function rule(name: string, path: string, backend: string) {
  const to = { kind: 'backend', backend } as const
  const action: Rule['action'] = { kind: 'proxy', backends: [{ when: null, weight: 1, to }] }
  const whole = tableRule({ name, matches: [pathMatch(path)], action, totalTimeoutMs: 20_000 })
  return tableObject('rule', name, whole)
}

function isServers(stream: Http2Stream): stream is ServerHttp2Stream {
  return 'respond' in stream
}

async function startServer(
  t: TestContext,
  methods: Readonly<Record<string, Method>>,
): Promise<number> {
  const server = createServer()
  server.on('session', (session) => t.after(() => session.destroy()))
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    if (isServers(stream)) methods[String(headers[':path'])]?.(stream, headers)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => new Promise((resolve) => server.close(resolve)))
  return portOf(server)
}

// ---- the framing of gRPC --------------------------------------------------------------------

function frame(text: string): Buffer {
  const message = Buffer.from(text)
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

/** Calls `message` for each whole one. */
function frames(stream: NodeJS.ReadableStream, message: (text: string) => void): void {
  let waiting = Buffer.alloc(0)
  stream.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk])
    while (waiting.length >= 5 && waiting.length >= 5 + waiting.readUInt32BE(1)) {
      const end = 5 + waiting.readUInt32BE(1)
      message(waiting.subarray(5, end).toString())
      waiting = waiting.subarray(end)
    }
  })
}

/** A server's answer that ends with this status. */
function begin(stream: ServerHttp2Stream, trailers: Record<string, string>): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers(trailers))
}

interface Called {
  readonly stream: ClientHttp2Stream
  readonly messages: string[]
  head: IncomingHttpHeaders | null
  trailers: IncomingHttpHeaders | null
  state: 'open' | 'ended' | 'reset'
}

function call(client: ClientHttp2Session, path: string, headers: object = {}): Called {
  const stream = client.request({ ...GRPC, ':path': path, ...headers })
  const called: Called = { stream, messages: [], head: null, trailers: null, state: 'open' }
  frames(stream, (text) => void called.messages.push(text))
  stream.on('response', (head) => (called.head = head))
  stream.on('trailers', (trailers) => (called.trailers = trailers))
  stream.on('error', () => undefined)
  stream.on('close', () => {
    called.state = stream.rstCode === constants.NGHTTP2_NO_ERROR ? 'ended' : 'reset'
  })
  return called
}

const closed = (called: Called): Promise<void> =>
  until('the call is over', () => called.state !== 'open')

// ---- the promises ---------------------------------------------------------------------------

test('a unary call passes with its trailers, and the server sees te: trailers', async (t) => {
  const seen: IncomingHttpHeaders[] = []
  const { client, records, bugs } = await walk(t, {
    '/books.Books/Get': (stream, headers) => {
      seen.push(headers)
      frames(stream, (text) => {
        begin(stream, { 'grpc-status': '0', 'grpc-message': 'fine', 'x-cost': '3' })
        stream.end(frame(`you said ${text}`))
      })
    },
  })
  const called = call(client, '/books.Books/Get', { 'x-trace': 'a' })
  called.stream.end(frame('hello'))
  await closed(called)
  assert.deepEqual(called.messages, ['you said hello'])
  assert.equal(called.head?.['content-type'], 'application/grpc')
  assert.equal(called.trailers?.['grpc-status'], '0')
  assert.equal(called.trailers?.['x-cost'], '3')
  assert.equal(called.state, 'ended')
  assert.equal(seen[0]?.['te'], 'trailers')
  assert.equal(seen[0]?.['x-trace'], 'a')
  assert.equal(records[0]?.status, 200)
  assert.deepEqual(bugs, [])
})

test('messages pass in both directions while the call is open', async (t) => {
  const { client } = await walk(t, {
    '/chat': (stream) => {
      begin(stream, { 'grpc-status': '0' })
      frames(stream, (text) => stream.write(frame(`re: ${text}`)))
      stream.on('end', () => stream.end())
    },
  })
  const called = call(client, '/chat')
  for (let i = 0; i < 50; i++) {
    called.stream.write(frame(`message ${i}`))
    await until('the answer to it is there', () => called.messages.length === i + 1)
  }
  assert.equal(called.trailers, null)
  called.stream.end()
  await closed(called)
  assert.equal(called.messages.at(-1), 're: message 49')
  assert.equal(called.trailers?.['grpc-status'], '0')
})

test('an answer that is nothing but its status passes as it is', async (t) => {
  const { client } = await walk(t, {
    '/refused': (stream) => {
      const head = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' }
      stream.respond(head, { endStream: true })
    },
  })
  const called = call(client, '/refused')
  called.stream.end(frame('x'))
  await closed(called)
  assert.equal(called.head?.['grpc-status'], '5')
  assert.equal(called.head?.['x-fairlead-cause'], undefined)
})

test('a client that cancels ends the call at the server, and other calls go on', async (t) => {
  const ends: number[] = []
  const { client } = await walk(t, {
    '/watch': (stream) => {
      begin(stream, { 'grpc-status': '0' })
      stream.write(frame('first'))
      stream.on('close', () => ends.push(stream.rstCode))
    },
  })
  const left = call(client, '/watch')
  const stays = call(client, '/watch')
  await until('both have a message', () => left.messages.length + stays.messages.length === 2)
  left.stream.close(constants.NGHTTP2_CANCEL)
  await until('the server has seen it', () => ends.length === 1)
  assert.equal(ends[0], constants.NGHTTP2_CANCEL)
  assert.equal(stays.state, 'open')
  stays.stream.close(constants.NGHTTP2_CANCEL)
})

test('a server that breaks off after its first message resets the call', async (t) => {
  const { client, records } = await walk(t, {
    '/break': (stream) => {
      begin(stream, { 'grpc-status': '0' })
      stream.write(frame('first'), () => stream.close(constants.NGHTTP2_INTERNAL_ERROR))
    },
  })
  const called = call(client, '/break')
  called.stream.end(frame('x'))
  await closed(called)
  assert.equal(called.state, 'reset')
  assert.equal(called.trailers, null)
  await until('it is recorded', () => records.length === 1)
  assert.equal(records[0]?.complete, false)
})

test('a client that does not read stops the server, and gets everything later', async (t) => {
  const MESSAGES = 256
  const message = 'x'.repeat(32 * 1024)
  let written = 0
  const { client } = await walk(t, {
    '/pour': (stream) => {
      begin(stream, { 'grpc-status': '0' })
      const pour = (): void => {
        while (written < MESSAGES) {
          written++
          if (!stream.write(frame(message))) return void stream.once('drain', pour)
        }
        stream.end()
      }
      pour()
    },
  })
  const called = call(client, '/pour')
  called.stream.pause()
  called.stream.end(frame('x'))
  await standsStill(() => written)
  assert.ok(written < MESSAGES / 2, `the server has written ${written} of ${MESSAGES}`)
  called.stream.resume()
  await closed(called)
  assert.equal(called.messages.length, MESSAGES)
  assert.equal(called.trailers?.['grpc-status'], '0')
})

test('a server that does not read stops the client, and gets everything later', async (t) => {
  const MESSAGES = 256
  const message = 'y'.repeat(32 * 1024)
  let reading: ServerHttp2Stream | null = null
  let got = 0
  const { client } = await walk(t, {
    '/fill': (stream) => {
      begin(stream, { 'grpc-status': '0' })
      reading = stream
      frames(stream, () => got++)
      stream.pause()
      stream.on('end', () => stream.end())
    },
  })
  let written = 0
  const called = call(client, '/fill')
  const fill = (): void => {
    while (written < MESSAGES) {
      written++
      if (!called.stream.write(frame(message))) return void called.stream.once('drain', fill)
    }
    called.stream.end()
  }
  fill()
  await until('the server has the call', () => reading !== null)
  await standsStill(() => written)
  assert.ok(written < MESSAGES / 2, `the client has written ${written} of ${MESSAGES}`)
  resume(reading)
  await closed(called)
  assert.equal(got, MESSAGES)
})

function resume(stream: ServerHttp2Stream | null): void {
  stream?.resume()
}

/** Until it has not grown for twenty looks. */
async function standsStill(count: () => number): Promise<void> {
  let last = -1
  let still = 0
  await until('it stands still', () => {
    still = count() === last && last > 0 ? still + 1 : 0
    last = count()
    return still >= 20
  })
}

test('what the gateway refuses is a status of gRPC in a head that is the whole answer', async (t) => {
  const { client, records } = await walk(t, {})
  const called = call(client, '/gone')
  called.stream.end(frame('x'))
  await closed(called)
  assert.equal(called.head?.[':status'], 200)
  assert.equal(called.head?.['content-type'], 'application/grpc')
  assert.equal(called.head?.['grpc-status'], '14')
  assert.equal(called.head?.['grpc-message'], 'The backend has no endpoint that could answer.')
  assert.equal(called.head?.['x-fairlead-cause'], 'no-endpoint')
  assert.equal(called.state, 'ended')
  assert.equal(records[0]?.status, 503)
  assert.equal(records[0]?.cause, 'no-endpoint')
})

test('a call is given up when its client no longer waits for it', async (t) => {
  const open = new Set<ServerHttp2Stream>()
  let arrived = 0
  const { client } = await walk(t, {
    '/slow': (stream) => {
      arrived++
      open.add(stream)
      stream.on('close', () => open.delete(stream))
    },
  })
  const called = call(client, '/slow', { 'grpc-timeout': '2S' })
  called.stream.end(frame('x'))
  await closed(called)
  assert.equal(called.head?.['grpc-status'], '4')
  assert.equal(called.head?.['x-fairlead-cause'], 'upstream-timeout')
  assert.equal(arrived, 1)
  await until('the server no longer has it', () => open.size === 0)
})
