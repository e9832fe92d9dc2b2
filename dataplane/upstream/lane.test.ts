/**
 * Proves what every lane promises to whoever balances, one attempt at a time.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recorder, requestOf } from './fake/outgoing.ts'
import { answerOf, startRecorder, until } from './fake/recorder.ts'
import type { AttemptEvents, Lane } from './lane.ts'
import { UndiciLane } from './pool.ts'

const LANES: readonly (readonly [string, (port: number) => Lane])[] = [
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
