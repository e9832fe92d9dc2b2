/**
 * Proves what every lane promises to whoever balances, one attempt at a time.
 */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { idle, now, recorder, requestOf } from './fake/outgoing.ts'
import { answerOf, startRecorder, until } from './fake/recorder.ts'
import { Deadlines } from './deadlines.ts'
import { Http1Lane } from './http1-lane.ts'
import type { AttemptEvents, Lane } from './lane.ts'
import { UndiciLane } from './pool.ts'
import type { UpstreamHead } from './upstream.ts'

function ownLane(port: number, connectionsMax = 64): Lane {
  const deadlines = new Deadlines(now)
  const readBuffer = Buffer.alloc(64 * 1024)
  const options = { now, deadlines, readBuffer, connectionsMax }
  return new Http1Lane({ address: '127.0.0.1', port, zone: null }, options)
}

const LANES: readonly (readonly [string, (port: number) => Lane])[] = [
  ['own', ownLane],
  ['undici', (port) => new UndiciLane({ address: '127.0.0.1', port, zone: null }, 'http')],
]

interface Watched {
  readonly events: AttemptEvents
  readonly seen: string[]
}

/** Writes down what it is told; `stream`: what becomes of the answer. */
function watched(stream: 'read' | 'aborted'): Watched {
  const seen: string[] = []
  const events: AttemptEvents = {
    sent: () => undefined,
    interim: (_, status) => void seen.push(`interim ${status}`),
    answered: (_, head) => {
      seen.push(`answered ${head.status}`)
      head.stream.start({
        data: () => 'more',
        end: () => void seen.push('end'),
        fail: ({ cause }) => void seen.push(`fail ${cause}`),
      })
      if (stream === 'aborted') head.stream.abort()
    },
    failed: (_, { cause }) => void seen.push(`failed ${cause}`),
    over: (_, end) => void seen.push(`over ${end}`),
  }
  return { events, seen }
}

for (const [name, laneOf] of LANES) {
  test(`every attempt is over exactly once: ${name}`, async (t) => {
    const cases = [
      [
        'HTTP/1.1 103 Early\r\n\r\n' + answerOf('ok'),
        'read',
        ['interim 103', 'answered 200', 'over complete', 'end'],
      ],
      [answerOf('ok'), 'aborted', ['answered 200', 'over aborted']],
      [
        'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok',
        'read',
        ['answered 200', 'over broken', 'fail upstream-reset'],
      ],
      ['', 'read', ['over broken', 'failed upstream-reset']],
      ['nonsense\r\n\r\n', 'read', ['over broken', 'failed upstream-invalid']],
    ] as const
    for (const [bytes, stream, expected] of cases) {
      const server = await recorder(t, { request: (_, socket) => void socket.end(bytes) })
      const lane = laneOf(server.port)
      const { events, seen } = watched(stream)
      const attempt = lane.dispatch(requestOf(), events)
      assert.deepEqual(seen, [], 'nothing is said before dispatch has returned')
      await until(
        `${expected.join()} of ${JSON.stringify(seen)}`,
        () => seen.length === expected.length,
      )
      attempt.abort()
      await lane.destroy()
      assert.deepEqual(seen, expected)
    }
  })

  test(`an attempt that is aborted, or refused, is over too: ${name}`, async (t) => {
    const server = await recorder(t, {})
    const lane = laneOf(server.port)
    const one = watched('read')
    const attempt = lane.dispatch(requestOf(), one.events)
    await until('the request is there', () => server.requests.length === 1)
    attempt.abort()
    await until('it is over', () => one.seen.length === 1)
    await lane.destroy()
    assert.deepEqual(one.seen, ['over aborted'])
    const gone = await startRecorder({})
    await gone.close()
    const two = watched('read')
    const closed = laneOf(gone.port)
    closed.dispatch(requestOf(), two.events)
    await until('it has failed', () => two.seen.length === 2)
    assert.deepEqual(two.seen, ['over broken', 'failed upstream-connect'])
    const three = watched('read')
    closed.dispatch(requestOf({ headers: ['bad name', 'x'] }), three.events)
    assert.deepEqual(three.seen, [], 'nothing is said before dispatch has returned')
    await until('it has failed', () => three.seen.length === 2)
    assert.deepEqual(three.seen, ['over broken', 'failed bug'])
    await closed.destroy()
  })
}

/** Takes piece by piece, each a turn later, and resolves with all. */
function slowly(head: UpstreamHead): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    head.stream.start({
      data(piece) {
        text += piece.toString('latin1')
        setImmediate(() => head.stream.resume())
        return 'pause'
      },
      end: () => resolve(text),
      fail: ({ cause }) => reject(new Error(cause)),
    })
  })
}

function askSlowly(lane: Lane, target: string): Promise<string> {
  return new Promise((resolve, reject) => {
    lane.dispatch(requestOf({ target }), {
      sent: () => undefined,
      interim: () => undefined,
      answered: (_, head) => resolve(slowly(head)),
      failed: (_, { cause }) => reject(new Error(cause)),
      over: () => undefined,
    })
  })
}

test('an answer that nobody reads pauses its connection', async (t) => {
  const texts = ['a', 'b', 'c'].map((letter) => letter.repeat(2_000))
  const server = await recorder(t, {
    request: ({ target }, socket) => {
      const chunks = Array.from(texts[Number(target[1])] ?? '', (byte) => `1\r\n${byte}\r\n`)
      socket.write(
        `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`,
      )
    },
  })
  const lane = ownLane(server.port)
  for (let round = 0; round < 2; round++) {
    assert.deepEqual(await Promise.all(texts.map((_, i) => askSlowly(lane, `/${i}`))), texts)
    await idle()
  }
  assert.equal(
    server.sockets.length,
    3,
    'whole answers, however slowly read, keep their connection',
  )
  await lane.destroy()
})

test('connections are bounded, and who waits gets the first that is free', async (t) => {
  const waiting: Socket[] = []
  const server = await recorder(t, { request: (_, socket) => void waiting.push(socket) })
  const lane = ownLane(server.port, 2)
  const answers = ['/0', '/1', '/2', '/3'].map((target) => askSlowly(lane, target))
  const given = watched('read')
  const last = lane.dispatch(requestOf(), given.events)
  await until('two have arrived', () => waiting.length === 2)
  last.abort()
  waiting.shift()?.write(answerOf('first'))
  await until('the next has arrived', () => waiting.length === 2)
  waiting.shift()?.end()
  await assert.rejects(answers[1] ?? Promise.resolve(), /upstream-reset/)
  await until('the last has arrived', () => waiting.length === 2)
  for (const socket of waiting.splice(0)) socket.write(answerOf('then'))
  assert.deepEqual(
    [await answers[0], await answers[2], await answers[3]],
    ['first', 'then', 'then'],
  )
  assert.equal(server.sockets.length, 3)
  assert.deepEqual(given.seen, ['over aborted'])
  await lane.destroy()
})

test('more than can wait are refused at once', async (t) => {
  const server = await recorder(t, {})
  const lane = ownLane(server.port, 1)
  const all = Array.from({ length: 1026 }, () => {
    const one = watched('read')
    lane.dispatch(requestOf(), one.events)
    return one.seen
  })
  await until('one is refused', () => all[1025]?.length === 2)
  assert.deepEqual(all[1025], ['over broken', 'failed overloaded'])
  assert.deepEqual(all[1024], [])
  await lane.destroy()
  await until('all are over', () => all.every((seen) => seen.length === 2))
})

test('a drained lane finishes what it carries and closes', async (t) => {
  const waiting: Socket[] = []
  const server = await recorder(t, { request: (_, socket) => void waiting.push(socket) })
  const lane = ownLane(server.port, 1)
  const answers = [askSlowly(lane, '/0'), askSlowly(lane, '/1')]
  await until('one has arrived', () => waiting.length === 1)
  lane.drain()
  await assert.rejects(askSlowly(lane, '/2'), /upstream-connect/)
  waiting.shift()?.write(answerOf('one'))
  await until('the other has arrived', () => waiting.length === 1)
  waiting.shift()?.write(answerOf('two'))
  assert.deepEqual(await Promise.all(answers), ['one', 'two'])
  await until('it is closed', () => server.sockets.every(({ destroyed }) => destroyed))
  assert.equal(server.sockets.length, 1)
})
