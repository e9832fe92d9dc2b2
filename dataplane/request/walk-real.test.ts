/**
 * The whole walk over real sockets: bytes of a client, a table as the wire has it, bytes of a
 * backend. What each phase promises alone must hold when they stand in a row.
 */
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { Rule, TableObject } from '#wire/table'
import { buildEnvironment, GATEWAY, hostObject, pathMatch } from '../../test/fake/table.ts'
import { tableChange, tableObject, tableRule } from '../../test/fake/table.ts'
import { monotonicMs, wallClockMs } from '../clock.ts'
import { Front } from '../front/front.ts'
import { emptyTable, swapTable, TableBuilder } from '../runtime/build.ts'
import { createBeside } from '../runtime/beside.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { Deadlines } from '../upstream/deadlines.ts'
import { type Recorded, startRecorder } from '../upstream/fake/recorder.ts'
import { UndiciUpstream } from '../upstream/undici.ts'
import { headerLines, headerValue } from './headers.ts'
import { idSource } from './id.ts'
import type { ExchangeRecord } from './record.ts'
import { serve } from './serve.ts'
import { callOptions, placed } from '../upstream/fake/options.ts'

const BACKEND = 'shop/books:80'
const PROXY: Rule['action'] = {
  kind: 'proxy',
  backends: [{ when: null, weight: 1, to: { kind: 'backend', backend: BACKEND } }],
}

interface Walk {
  /** Sends bytes on a connection of its own and gives all that came back before it closed. */
  readonly ask: (lines: string) => Promise<string>
  readonly open: () => Socket
  readonly requests: readonly Recorded[]
  readonly records: ExchangeRecord[]
  readonly bugs: unknown[]
}

/** `answer`: what the backend says, in bytes. */
async function walk(
  t: TestContext,
  objects: readonly TableObject[],
  answer: (request: Recorded, socket: Socket) => void,
): Promise<Walk> {
  const recorder = await startRecorder({ request: answer })
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
  const backend = tableObject('backend', BACKEND, { protocol: 'http', clusterAddress: null })
  const change = tableChange('snapshot', [GATEWAY, backend, ...objects])
  assert.deepEqual(swapTable(runtime, new TableBuilder(buildEnvironment()), change), [])
  const endpoint = { address: '127.0.0.1', port: recorder.port, zone: null }
  upstream.endpoints(placed({ backend: BACKEND, version: 1, endpoints: [endpoint] }))
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
  const { port } = await front.listen({ host: '127.0.0.1', port: 0, reusePort: false })
  t.after(async () => {
    front.destroy()
    deadlines.stop()
    await upstream.destroy()
    await recorder.close()
  })
  const open = (): Socket => connect({ host: '127.0.0.1', port })
  const ask = (lines: string): Promise<string> => asked(open(), lines)
  return { ask, open, requests: recorder.requests, records, bugs }
}

function asked(socket: Socket, lines: string): Promise<string> {
  const text = `${lines.trim().replaceAll(/\n */g, '\r\n')}\r\nConnection: close\r\n\r\n`
  return new Promise((resolve) => {
    let answer = ''
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1')
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(answer))
    socket.write(text)
  })
}

function rule(name: string, path: string, some: Partial<Rule>): TableObject {
  const whole = tableRule({ name, matches: [pathMatch(path)], action: PROXY, ...some })
  return tableObject('rule', name, whole)
}

function bytes(text: string): (request: Recorded, socket: Socket) => void {
  return (_, socket) => void socket.write(text.replaceAll('\n', '\r\n'))
}

test('what a client says reaches the backend rewritten, and never in the name of the gateway', async (t) => {
  const forward = tableObject('forward', 'other', {
    headers: [{ name: 'x-user', value: [{ expr: 'auth.claims.sub' }], onFailure: 'remove' }],
    credential: 'strip',
  })
  const moved = rule('moved', '/v1/**', {
    rewrite: { path: [{ literal: '/v2/' }, { rest: true }], host: 'books.internal' },
    requestHeaders: {
      remove: ['cookie'],
      set: [{ name: 'x-path', value: ['at ', { expr: 'request.path' }], onFailure: 'remove' }],
      add: [],
    },
  })
  const { ask, requests, records, bugs } = await walk(
    t,
    [forward, moved, hostObject('*', ['moved'])],
    bytes('HTTP/1.1 200 OK\nContent-Length: 2\nX-From: backend\n\nok'),
  )
  const answer = await ask(`GET /v1/a/./b%7e?q=%2F&r HTTP/1.1
    Host: Shop.Example.com:8080
    X_User: mallory
    X-Fairlead-Cause: none
    X-Path: mine
    Cookie: a=1
    X-Hop: gone
    Connection: x-hop
    X-Forwarded-For: 6.6.6.6
    Accept: */*`)
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
  assert.match(answer, /\r\nX-From: backend\r\n/)
  assert.match(answer, /\r\n\r\nok$/)
  const [seen] = requests
  assert(seen !== undefined)
  assert.equal(seen.target, '/v2/a/b~?q=%2F&r')
  assert.deepEqual(headerLines(seen.headers, 'host'), ['books.internal'])
  assert.equal(headerValue(seen.headers, 'x-path'), 'at /v1/a/b~')
  for (const name of ['x_user', 'x-user', 'x-fairlead-cause', 'cookie', 'x-hop']) {
    assert.equal(headerValue(seen.headers, name), null, name)
  }
  assert.equal(headerValue(seen.headers, 'x-forwarded-for'), '127.0.0.1')
  assert.equal(headerValue(seen.headers, 'x-forwarded-host'), 'Shop.Example.com:8080')
  assert.equal(headerValue(seen.headers, 'x-request-id'), records[0]?.id)
  assert.deepEqual(bugs, [])
  assert.equal(records.length, 1)
  assert.equal(records[0]?.status, 200)
  assert.equal(records[0].by, 'upstream')
  assert.equal(records[0].complete, true)
  assert.equal(records[0].bytesOut, 2)
})

test('answers of the gateway itself are whole, framed and explained', async (t) => {
  const objects = [
    rule('ping', '/ping', {
      action: { kind: 'respond', status: 200, headers: [], body: ['pong'] },
    }),
    rule('gone', '/v0/**', {
      action: {
        kind: 'redirect',
        status: 308,
        scheme: null,
        host: null,
        port: null,
        path: [{ literal: '/v1/' }, { rest: true }],
      },
    }),
    rule('closed', '/closed', {
      auth: { kind: 'reject', status: 503, cause: 'policy-missing', because: 'No policy.' },
    }),
    hostObject('*', ['ping', 'gone', 'closed']),
  ]
  const { ask, requests, records } = await walk(t, objects, () => undefined)
  assert.match(await ask('GET /ping HTTP/1.1\nHost: a'), /^HTTP\/1\.1 200 [\s\S]*\r\n\r\npong$/)
  const head = await ask('HEAD /ping HTTP/1.1\nHost: a')
  assert.match(head, /content-length: 4\r\n/i)
  assert.match(head, /\r\n\r\n$/)
  assert.match(
    await ask('GET /v0/x?y HTTP/1.1\nHost: a:81'),
    /^HTTP\/1\.1 308 [\s\S]*location: http:\/\/a:81\/v1\/x\?y\r\n/i,
  )
  assert.match(
    await ask('GET /closed HTTP/1.1\nHost: a'),
    /^HTTP\/1\.1 503 [\s\S]*x-fairlead-cause: policy-missing\r\n[\s\S]*"detail":"No policy\."/i,
  )
  assert.match(
    await ask('GET /none HTTP/1.1\nHost: a'),
    /^HTTP\/1\.1 404 [\s\S]*"no-route|no-route/,
  )
  assert.match(await ask('GET /a//b HTTP/1.1\nHost: a'), /^HTTP\/1\.1 400 [\s\S]*bad-path/)
  assert.equal(requests.length, 0)
  assert.deepEqual(
    records.map(({ status, cause }) => [status, cause]),
    [
      [200, null],
      [200, null],
      [308, null],
      [503, 'policy-missing'],
      [404, 'no-route'],
      [400, 'bad-path'],
    ],
  )
})

test('an answer that its backend cuts off is never complete for the client', async (t) => {
  const { ask, records } = await walk(
    t,
    [rule('all', '/**', {}), hostObject('*', ['all'])],
    (_, s) => {
      s.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour')
    },
  )
  const answer = await ask('GET / HTTP/1.1\nHost: a')
  assert.match(answer, /\r\n\r\n(four)?$/)
  assert.equal(records[0]?.complete, false)
  assert.equal(records[0].cause, 'upstream-reset')
  assert.equal(records[0].status, 200)
})

test('a client that leaves is recorded once, and its backend is let go', async (t) => {
  const gone = Promise.withResolvers<void>()
  const asking = Promise.withResolvers<void>()
  const { open, records } = await walk(
    t,
    [rule('all', '/**', {}), hostObject('*', ['all'])],
    (_, s) => {
      s.on('close', () => gone.resolve())
      asking.resolve()
    },
  )
  const socket = open()
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await asking.promise
  socket.destroy()
  await gone.promise
  const until = monotonicMs() + 5_000
  while (records.length === 0 && monotonicMs() < until) await new Promise(setImmediate)
  assert.deepEqual(
    records.map(({ status, cause, complete }) => [status, cause, complete]),
    [[499, 'client-closed', false]],
  )
})

test('a backend without endpoints is an error of its own, not a missing route', async (t) => {
  const other = tableObject('backend', 'shop/none:80', { protocol: 'http', clusterAddress: null })
  const to = { kind: 'backend', backend: 'shop/none:80' } as const
  const action: Rule['action'] = { kind: 'proxy', backends: [{ when: null, weight: 1, to }] }
  const objects = [other, rule('all', '/**', { action }), hostObject('*', ['all'])]
  const { ask } = await walk(t, objects, () => undefined)
  const answer = await ask('GET / HTTP/1.1\nHost: a')
  assert.match(answer, /^HTTP\/1\.1 503 /)
  assert.match(answer, /x-fairlead-cause: no-endpoint\r\n/)
  assert.match(answer, /retry-after: 5\r\n/)
})
