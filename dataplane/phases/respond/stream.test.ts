/**
 * Streamed answers, with a client that is slow or leaves and a backend that breaks off.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { fakeExchange } from '../../../test/fake/exchange.ts'
import { FakeRuntime, FakeStream } from '../../../test/fake/runtime.ts'
import { fail } from '../../request/failure.ts'
import type { Ending } from './ending.ts'
import { streamed } from './stream.ts'

function begin(declared: number | null): Scene {
  const { exchange, answer } = fakeExchange()
  const runtime = new FakeRuntime()
  const stream = new FakeStream(declared)
  answer.head(200, [])
  const ending = streamed(stream, exchange, runtime)
  return { exchange, answer, runtime, stream, ending }
}

interface Scene {
  readonly exchange: ReturnType<typeof fakeExchange>['exchange']
  readonly answer: ReturnType<typeof fakeExchange>['answer']
  readonly runtime: FakeRuntime
  readonly stream: FakeStream
  readonly ending: PromiseLike<Ending>
}

test('an answer that ends early is never complete for the client', async () => {
  for (const [declared, sent] of [
    [10, 'four'],
    [1, ''],
    [5, 'fourx!'],
  ] as const) {
    const { exchange, stream, ending } = begin(declared)
    if (sent !== '') stream.push(sent)
    stream.end()
    assert.deepEqual(await ending, { kind: 'broken' })
    assert.equal(exchange.broken?.fault, 'upstream')
  }
})

test('what a backend breaks off is broken for the client, with its cause', async () => {
  const { exchange, answer, stream, ending } = begin(null)
  stream.push('part')
  stream.fail(fail('upstream-reset', 'Reset.'))
  stream.push('late')
  assert.deepEqual(await ending, { kind: 'broken' })
  assert.equal(exchange.broken?.cause, 'upstream-reset')
  assert.equal(answer.body, 'part')
})

test('the chunk that completes a declared length is held back', async () => {
  const { exchange, answer, stream, ending } = begin(8)
  stream.push('four')
  stream.push('last')
  stream.end()
  assert.equal(answer.body, 'four')
  assert.deepEqual(await ending, { kind: 'last', chunk: Buffer.from('last'), trailers: null })
  assert.equal(exchange.bytesOut, 8)
})

test('without a length the end itself is held back, with its trailers', async () => {
  const { answer, stream, ending } = begin(null)
  stream.push('all')
  stream.end(['grpc-status', '0'])
  assert.equal(answer.body, 'all')
  assert.equal(answer.state, 'open')
  assert.deepEqual(await ending, { kind: 'last', chunk: null, trailers: ['grpc-status', '0'] })
})

test('a slow client slows the backend down, and lets it go on', () => {
  const { answer, stream } = begin(null)
  answer.room = 1
  assert.equal(stream.push('a'), 'pause')
  assert.equal(stream.resumed, 0)
  answer.drain()
  assert.equal(stream.resumed, 1)
  assert.equal(stream.push('b'), 'more')
})

test('a client that leaves ends the stream of its backend', async () => {
  const { exchange, answer, stream, ending } = begin(null)
  stream.push('a')
  answer.leave()
  answer.drain()
  assert.equal(stream.aborted, 1)
  assert.equal(stream.resumed, 0)
  assert.deepEqual(await ending, { kind: 'broken' })
  assert.equal(exchange.broken?.cause, 'client-closed')
})

test('a client that has left before the first byte starts nothing', async () => {
  const { exchange, answer } = fakeExchange()
  answer.head(200, [])
  answer.leave()
  const stream = new FakeStream()
  assert.deepEqual(await streamed(stream, exchange, new FakeRuntime()), { kind: 'broken' })
  assert.equal(stream.sink, null)
  assert.equal(stream.aborted, 1)
})

test('whatever arrives in whatever pieces, the client gets the same bytes', async () => {
  const pieces = fc.array(fc.string({ minLength: 0, maxLength: 4, unit: 'grapheme-ascii' }), {
    maxLength: 8,
  })
  await fc.assert(
    fc.asyncProperty(pieces, fc.boolean(), async (texts, declares) => {
      const text = texts.join('')
      const { exchange, answer, stream, ending } = begin(declares ? text.length : null)
      for (const piece of texts) stream.push(piece)
      stream.end()
      const last = await ending
      assert(last.kind === 'last')
      if (declares && text !== '') assert.notEqual(last.chunk, null)
      assert.equal(answer.body + (last.chunk?.toString() ?? ''), text)
      assert.equal(exchange.bytesOut, text.length)
    }),
  )
})
