/**
 * Mirrors, through a real front to two real backends.
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { fakeExchange, FakeBody } from '../../../test/fake/exchange.ts'
import { fakeRule } from '../../../test/fake/rule.ts'
import { FakeRuntime, FakeStream } from '../../../test/fake/runtime.ts'
import { raw } from '../../fake/plane.ts'
import { type FrontUnderTest, HOST, startFront } from '../../front/fake/front.ts'
import {
  answerOf,
  type Recorder,
  type Script,
  startRecorder,
  until,
} from '../../upstream/fake/recorder.ts'
import { PROXY } from '../../front/fake/proxied.ts'
import { mirrored } from './mirror.ts'
import { proxy } from './proxy.ts'
import { placed } from '../../upstream/fake/options.ts'

const MIRROR = { backend: 'shadow', share: 100_000 }
const RULE = fakeRule({ totalTimeoutMs: 5_000, action: PROXY, mirror: MIRROR })

interface Two extends FrontUnderTest {
  readonly server: Recorder
  readonly shadow: Recorder
}

async function through(t: TestContext, shadowScript: Script): Promise<Two> {
  const server = await startRecorder({
    request: (_, socket) => void socket.write(answerOf('done')),
  })
  const shadow = await startRecorder(shadowScript)
  t.after(() => Promise.all([server.close(), shadow.close()]))
  const under = await startFront(t, (exchange, runtime) => {
    exchange.upstreamHeaders = ['x-from', 'us']
    return proxy(PROXY, RULE, exchange, runtime)
  })
  const backend = { protocol: 'http', clusterAddress: null } as const
  under.upstream.backends(
    new Map([
      ['b', backend],
      ['shadow', backend],
    ]),
  )
  for (const [key, { port }] of [
    ['b', server],
    ['shadow', shadow],
  ] as const) {
    const endpoints = [{ address: '127.0.0.1', port, zone: null }]
    under.upstream.endpoints(placed({ backend: key, version: 1, endpoints }))
  }
  return { ...under, server, shadow }
}

test('a mirror sees the same request, body and all', async (t) => {
  const { port, shadow } = await through(t, {
    request: (_, socket) => void socket.write(answerOf('nobody reads this')),
  })
  const client = raw(t, port, `POST /a?b HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`)
  await until('answered', () => client.text.endsWith('done'))
  await until('mirrored', () => shadow.requests[0]?.ended === 'yes')
  const [seen] = shadow.requests
  assert.equal(seen?.method, 'POST')
  assert.equal(seen.target, '/a?b')
  assert.equal(seen.body, 'hello')
  assert.match(seen.head, /\r\nx-from: us\r\n/)
})

test('a mirror that hangs or fails changes nothing for the client', async (t) => {
  const scripts: readonly Script[] = [
    {},
    { head: (_, socket) => void socket.destroy() },
    { request: (_, socket) => void socket.write('nonsense\r\n\r\n') },
    { request: (_, socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx') },
  ]
  for (const script of scripts) {
    const { port, shadow, bugs, records } = await through(t, script)
    const client = raw(t, port, `GET / HTTP/1.1\r\n${HOST}\r\n`)
    await until('answered', () => client.text.endsWith('done'))
    await until('mirrored', () => shadow.requests.length === 1)
    assert.deepEqual(bugs, [])
    assert.equal(records[0]?.backend, 'b')
    assert.equal(records[0].complete, true)
  }
})

function drawn(share: number, random: number, runtime = new FakeRuntime()): number {
  const { exchange } = fakeExchange()
  mirrored(fakeRule({ mirror: { backend: 'm', share } }), exchange, runtime, () => random)
  return runtime.upstream.sent.length
}

test('a share of the requests is mirrored', () => {
  assert.equal(drawn(5_000, 0.049), 1)
  assert.equal(drawn(5_000, 0.05), 0)
  assert.equal(drawn(0, 0), 0)
  assert.equal(drawn(100_000, 0.999), 1)
})

test('so many at once, and what is beyond is counted', () => {
  const runtime = new FakeRuntime()
  for (let i = 0; i < 130; i++) drawn(100_000, 0, runtime)
  assert.equal(runtime.upstream.sent.length, 128)
  assert.equal(runtime.counted.filter((what) => what === 'mirrorsDropped').length, 2)
  const stream = new FakeStream()
  runtime.upstream.listener?.head({ status: 200, headers: [], stream })
  for (let i = 0; i < 70; i++) stream.sink?.data(Buffer.alloc(1024))
  assert.equal(stream.aborted, 1)
  stream.end()
  assert.equal(runtime.beside.mirrors.inside, 127)
  assert.equal(drawn(100_000, 0, runtime), 129)
})

test('a body beyond the bound is not mirrored, and nothing of it is kept', () => {
  const runtime = new FakeRuntime()
  const { exchange } = fakeExchange({ body: new FakeBody([Buffer.alloc(1)]) })
  const copy = mirrored(RULE, exchange, runtime, () => 0)
  assert(copy !== null)
  for (let i = 0; i < 65; i++) copy.add(Buffer.alloc(1024))
  copy.end()
  assert.equal(runtime.upstream.sent.length, 0)
  assert.deepEqual(runtime.counted, ['mirrorsDropped'])
})
