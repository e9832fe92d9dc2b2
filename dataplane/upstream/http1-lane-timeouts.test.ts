/**
 * Proves how long our own lane waits for what: one deadline for each connection, none per request.
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Deadlines } from './deadlines.ts'
import { failureOf, HandBody, headOf, now, readAll, requestOf } from './fake/outgoing.ts'
import { answerOf, type Script, startRecorder, type Recorder, until } from './fake/recorder.ts'
import type { Failure } from '../request/failure.ts'
import { Http1Lane } from './http1-lane.ts'
import { type AttemptTimeouts, TIMEOUTS } from './timeouts.ts'
import type { UpstreamHead, UpstreamRequest } from './upstream.ts'
import { DEFAULT_DELIVERY } from './delivery.ts'

interface Rig {
  readonly lane: Http1Lane
  readonly server: Recorder
  readonly send: (some: Partial<UpstreamRequest>) => Promise<UpstreamHead | Failure>
}

async function rig(t: TestContext, script: Script): Promise<Rig> {
  const server = await startRecorder(script)
  const deadlines = new Deadlines(now)
  const endpoint = { address: '127.0.0.1', port: server.port, zone: null }
  const lane = new Http1Lane(endpoint, { now, deadlines, readBuffer: Buffer.alloc(65_536) })
  t.after(async () => {
    await lane.destroy()
    deadlines.stop()
    await server.close()
  })
  const send: Rig['send'] = (some) => {
    const { promise, resolve } = Promise.withResolvers<UpstreamHead | Failure>()
    lane.dispatch(requestOf(some), {
      sent: () => undefined,
      interim: () => undefined,
      answered: (_, head) => resolve(head),
      failed: (_, failure) => resolve(failure),
      over: () => undefined,
    })
    return promise
  }
  return { lane, server, send }
}

function within(some: Partial<AttemptTimeouts>): Pick<UpstreamRequest, 'delivery'> {
  return { delivery: { ...DEFAULT_DELIVERY, timeouts: { ...TIMEOUTS, ...some } } }
}

test('a backend that does not begin in time has failed', async (t) => {
  const { server, send } = await rig(t, {})
  const started = now()
  const failure = failureOf(await send(within({ firstByteMs: 60 })))
  assert.equal(failure.cause, 'upstream-timeout')
  assert.ok(now() - started >= 60)
  await until('the connection is given up', () =>
    server.sockets.every(({ destroyed }) => destroyed),
  )
})

test('a backend that stops in the middle has failed, and one that goes on has not', async (t) => {
  const { send } = await rig(t, {
    request: ({ target }, socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n')
      if (target === '/stops') return
      let sent = 0
      const timer = setInterval(() => {
        socket.write('x')
        if (++sent === 10) clearInterval(timer)
      }, 20)
    },
  })
  const stopped = headOf(await send({ target: '/stops', ...within({ idleMs: 60 }) }))
  assert.equal((await readAll(stopped)).failure?.cause, 'upstream-timeout')
  const slow = headOf(await send({ target: '/slow', ...within({ idleMs: 5_000 }) }))
  assert.deepEqual(await readAll(slow), { text: 'x'.repeat(10), trailers: null, failure: null })
})

test('a client that takes its time is not the backend being late', async (t) => {
  const { send } = await rig(t, {
    request: (_, socket) => void socket.write(answerOf('y'.repeat(500_000))),
  })
  const head = headOf(await send(within({ idleMs: 250 })))
  let text = ''
  let failed = 'no'
  const ended = Promise.withResolvers<void>()
  head.stream.start({
    data(chunk) {
      text += chunk.toString('latin1')
      setTimeout(() => head.stream.resume(), text.length < 200_000 ? 300 : 0)
      return 'pause'
    },
    end: () => ended.resolve(),
    fail: () => {
      failed = 'yes'
      ended.resolve()
    },
  })
  await ended.promise
  assert.deepEqual([text.length, failed], [500_000, 'no'])
})

test('a client that is slow to send is not the backend being late', async (t) => {
  const { server, send } = await rig(t, {
    request: (_, socket) => void socket.write(answerOf('ok')),
  })
  const body = new HandBody(4)
  const outcome = send({ method: 'POST', body, ...within({ idleMs: 300, firstByteMs: 5_000 }) })
  await until('the body is asked for', () => body.sink !== null)
  for (const letter of 'body') {
    const before = now()
    await until('some time has passed', () => now() - before > 120)
    body.sink?.data(Buffer.from(letter))
  }
  body.sink?.end()
  assert.equal((await readAll(headOf(await outcome))).text, 'ok')
  assert.equal(server.requests[0]?.body, 'body')
})

test('idle connections close before the backend would close them', async (t) => {
  const { server, send } = await rig(t, {
    request: (_, socket) => void socket.write(answerOf('ok', 'Keep-Alive: timeout=2\r\n')),
  })
  const started = now()
  assert.equal((await readAll(headOf(await send({})))).text, 'ok')
  await until('it is closed', () => server.sockets[0]?.destroyed)
  assert.ok(now() - started >= 1_000)
})

test('what says that it will close at once is not used again', async (t) => {
  const { server, send } = await rig(t, {
    request: (_, socket) => void socket.write(answerOf('ok', 'Keep-Alive: timeout=1\r\n')),
  })
  for (let i = 0; i < 2; i++) await readAll(headOf(await send({})))
  assert.deepEqual(
    server.requests.map(({ connection }) => connection),
    [1, 2],
  )
})
