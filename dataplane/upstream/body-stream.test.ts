/**
 * Proves the stream that carries a request's body.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BodySink, RequestBody } from '../request/exchange.ts'
import { BodyAborted, BodyStream } from './body-stream.ts'
import { until } from './fake/recorder.ts'

class HandBody implements RequestBody {
  readonly empty = false
  readonly bytesDeclared = null
  sink: BodySink | null = null
  resumes = 0
  start(sink: BodySink): void {
    assert.equal(this.sink, null, 'started twice')
    this.sink = sink
  }
  resume(): void {
    this.resumes++
  }
}

test('pauses the body while nobody reads', async () => {
  const body = new HandBody()
  const stream = new BodyStream(body)
  assert.equal(stream.consumed, 'no')
  stream.read(0)
  assert.equal(stream.consumed, 'yes')
  let given = 0
  while (body.sink?.data(Buffer.alloc(1024)) === 'more') given++
  assert.ok(given >= 32 && given <= 64, `${given} KiB were taken`)
  assert.equal(body.resumes, 0)
  let read = 0
  stream.on('data', (chunk: Buffer) => (read += chunk.length))
  await until('it asks for more', () => body.resumes === 1)
  body.sink?.end()
  await until('it ends', () => stream.readableEnded)
  assert.equal(read, (given + 1) * 1024)
})

test('what is sent byte by byte to somebody slow is kept in few pieces', async () => {
  const body = new HandBody()
  const stream = new BodyStream(body)
  stream.read(0)
  let given = 0
  while (body.sink?.data(Buffer.of(given % 256)) === 'more') {
    given++
    if (given % 10_000 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(given >= 32 * 1024 && given <= 64 * 1024, `${given} bytes were taken`)
  const pieces: Buffer[] = []
  stream.on('data', (chunk: Buffer) => void pieces.push(chunk))
  await until('it asks for more', () => body.resumes === 1)
  body.sink?.data(Buffer.of(1))
  body.sink?.data(Buffer.of(2))
  const count = (): number => pieces.reduce((sum, { length }) => sum + length, 0)
  await until('nothing is kept back', () => count() === given + 3)
  const all = Buffer.concat(pieces)
  assert.ok(all.subarray(0, given + 1).every((byte, i) => byte === i % 256))
  assert.ok(pieces.length < 40, `${pieces.length} pieces`)
})

test('a client that leaves is an error of the stream', async () => {
  const body = new HandBody()
  const stream = new BodyStream(body)
  const errors: Error[] = []
  stream.on('error', (error) => void errors.push(error))
  stream.resume()
  await until('it has started', () => body.sink !== null)
  body.sink?.abort()
  await until('it has failed', () => errors.length === 1)
  assert.ok(errors[0] instanceof BodyAborted)
})

test('a stream that nobody wants any more holds nobody up', async () => {
  const body = new HandBody()
  const stream = new BodyStream(body)
  stream.read(0)
  while (body.sink?.data(Buffer.alloc(1024)) === 'more');
  stream.destroy()
  await until('who sends may go on', () => body.resumes === 1)
  assert.equal(body.sink?.data(Buffer.alloc(1024)), 'more')
  body.sink?.end()
})

test('a body that was never asked for stays unread', () => {
  const body = new HandBody()
  const stream = new BodyStream(body)
  stream.destroy()
  assert.equal(stream.consumed, 'no')
  assert.equal(body.sink, null)
})
