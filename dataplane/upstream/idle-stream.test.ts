/**
 * Proves that only the backend's silence ends a stream.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnswerSink, AnswerStream } from '../request/outcome.ts'
import { Deadlines } from './deadlines.ts'
import { IdleStream } from './idle-stream.ts'

class HandStream implements AnswerStream {
  readonly bytesDeclared = null
  sink: AnswerSink | null = null
  aborted: 'no' | 'yes' = 'no'
  start(sink: AnswerSink): void {
    this.sink = sink
  }
  resume(): void {}
  abort(): void {
    this.aborted = 'yes'
  }
}

function under(flow: 'more' | 'pause') {
  let nowMs = 0
  const deadlines = new Deadlines(() => nowMs)
  const source = new HandStream()
  const stream = new IdleStream(source, 100, { now: () => nowMs, deadlines })
  const said: string[] = []
  stream.start({
    data: () => flow,
    end: () => void said.push('end'),
    fail: ({ cause }) => void said.push(cause),
  })
  deadlines.stop()
  const pass = (ms: number): void => {
    nowMs += ms
    deadlines.turn()
  }
  return { source, stream, said, pass }
}

test('a stream that falls silent breaks off, a slow reader does not', () => {
  const { source, said, pass } = under('more')
  pass(90)
  source.sink?.data(Buffer.from('a'))
  pass(90)
  assert.deepEqual(said, [])
  pass(30)
  assert.deepEqual([said, source.aborted], [['upstream-timeout'], 'yes'])
  const slow = under('pause')
  slow.source.sink?.data(Buffer.from('a'))
  slow.pass(500)
  assert.deepEqual(slow.said, [])
  slow.stream.resume()
  slow.pass(50)
  assert.deepEqual(slow.said, [])
  slow.pass(100)
  assert.deepEqual(slow.said, ['upstream-timeout'])
})

test('a stream that has ended hears nothing more', () => {
  const { source, said, pass } = under('more')
  source.sink?.end(null)
  pass(500)
  assert.deepEqual([said, source.aborted], [['end'], 'no'])
})
