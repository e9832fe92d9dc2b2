/**
 * Compressed answers.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import * as fc from 'fast-check'
import { fakeExchange } from '../../../test/fake/exchange.ts'
import { fakeRule } from '../../../test/fake/rule.ts'
import { FakeRuntime, FakeStream } from '../../../test/fake/runtime.ts'
import type { Exchange } from '../../request/exchange.ts'
import { fail } from '../../request/failure.ts'
import { headerValue } from '../../request/headers.ts'
import type { AnswerBody, AnswerSink } from '../../request/outcome.ts'
import { type Packed, packed } from './compress.ts'
import { CODINGS, prepareCompression } from './encoding.ts'

const DECODE = { gzip: gunzipSync, br: brotliDecompressSync, zstd: zstdDecompressSync } as const
const RULE = fakeRule({ compression: prepareCompression({ types: ['text/*'], minBytes: 1 }) })

function asking(accept: string | null, more: readonly string[] = []): Exchange {
  const headers = accept === null ? more : ['Accept-Encoding', accept, ...more]
  const { exchange } = fakeExchange({ headers })
  exchange.rule = RULE
  return exchange
}

function pack(
  body: AnswerBody,
  exchange: Exchange,
  headers: readonly string[] = ['content-type', 'text/plain'],
  runtime = new FakeRuntime(),
): Packed {
  return packed({ status: 200, headers, content: 'some' }, body, exchange, runtime)
}

class Collected implements AnswerSink {
  readonly chunks: Buffer[] = []
  readonly done = Promise.withResolvers<string>()
  trailers: readonly string[] | null = null
  pace: 'more' | 'pause' = 'more'
  paused: () => void = () => undefined

  data(chunk: Buffer): 'more' | 'pause' {
    this.chunks.push(chunk)
    if (this.pace === 'pause') setImmediate(() => this.paused())
    return this.pace
  }
  end(trailers: readonly string[] | null): void {
    this.trailers = trailers
    this.done.resolve('whole')
  }
  fail({ cause }: { cause: string }): void {
    this.done.resolve(cause)
  }
}

test('what a client decodes is what the backend sent, at any pace', async () => {
  const chunk = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
    fc.integer({ min: 1, max: 200_000 }).map((size) => randomBytes(size)),
    fc.integer({ min: 1, max: 200_000 }).map((size) => Buffer.alloc(size, 'a')),
  )
  const pace = fc.constantFrom<'more' | 'pause'>('more', 'pause')
  const chunks = fc.array(chunk, { minLength: 1, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(
      chunks,
      fc.constantFrom(...CODINGS),
      pace,
      async (sent, coding, clientPace) => {
        const from = new FakeStream()
        const runtime = new FakeRuntime()
        const { head, body } = pack(
          { kind: 'stream', stream: from },
          asking(coding),
          undefined,
          runtime,
        )
        assert.equal(headerValue(head.headers, 'content-encoding'), coding)
        assert(body.kind === 'stream')
        const sink = new Collected()
        sink.pace = clientPace
        sink.paused = () => body.stream.resume()
        body.stream.start(sink)
        for (const bytes of sent) {
          const resumed = from.resumed
          if (from.sink?.data(bytes) === 'pause') {
            while (from.resumed === resumed) await new Promise(setImmediate)
          }
        }
        from.end(['x-sum', '1'])
        assert.equal(await sink.done.promise, 'whole')
        assert.deepEqual(sink.trailers, ['x-sum', '1'])
        const decoded = DECODE[coding](Buffer.concat(sink.chunks))
        assert.ok(decoded.equals(Buffer.concat(sent)))
        assert.equal(runtime.beside.compressions.inside, 0)
      },
    ),
    { numRuns: 60 },
  )
})

test('a fixed answer is compressed as well', async () => {
  const { body } = pack({ kind: 'bytes', bytes: Buffer.from('a'.repeat(500)) }, asking('gzip'))
  assert(body.kind === 'stream')
  const sink = new Collected()
  body.stream.start(sink)
  await sink.done.promise
  assert.equal(gunzipSync(Buffer.concat(sink.chunks)).toString(), 'a'.repeat(500))
})

test('the head speaks of the bytes that are sent', () => {
  const headers = [
    'Content-Type',
    'text/html',
    'ETag',
    '"a"',
    'Content-Length',
    '9',
    'Vary',
    'origin',
  ]
  const body: AnswerBody = { kind: 'stream', stream: new FakeStream(9) }
  const zipped = pack(body, asking('br'), headers)
  assert.deepEqual(zipped.head.headers, [
    'Content-Type',
    'text/html',
    'ETag',
    'W/"a"',
    'Vary',
    'origin',
    'vary',
    'accept-encoding',
    'content-encoding',
    'br',
  ])
  for (const exchange of [asking(null), asking('br', ['Cache-Control', 'no-transform'])]) {
    const { head, body: same } = pack(body, exchange, headers)
    assert.deepEqual(head.headers, [...headers, 'vary', 'accept-encoding'])
    assert.equal(same, body)
  }
  const weak = pack(body, asking('br'), ['content-type', 'text/html', 'etag', 'W/"a"', 'vary', '*'])
  assert.equal(headerValue(weak.head.headers, 'etag'), 'W/"a"')
  assert.equal(headerValue(weak.head.headers, 'vary'), '*')
})

test('each event of a stream goes out when it comes', async () => {
  for (const coding of CODINGS) {
    const from = new FakeStream()
    const headers = ['content-type', 'text/event-stream']
    const { body } = pack({ kind: 'stream', stream: from }, asking(coding), headers)
    assert(body.kind === 'stream')
    const sink = new Collected()
    body.stream.start(sink)
    from.push('data: 1\n\n')
    const limit = performance.now() + 5_000
    while (sink.chunks.reduce((sum, { length }) => sum + length, 0) < 10) {
      assert.ok(performance.now() < limit, `${coding}: the event is held back`)
      await new Promise(setImmediate)
    }
    body.stream.abort()
    assert.equal(from.aborted, 1)
  }
})

test('an answer that breaks off is an abort for the client, and leaves its place', async () => {
  const runtime = new FakeRuntime()
  const from = new FakeStream()
  const { body } = pack({ kind: 'stream', stream: from }, asking('gzip'), undefined, runtime)
  assert(body.kind === 'stream')
  const sink = new Collected()
  body.stream.start(sink)
  from.push('something')
  from.fail(fail('upstream-reset', 'Reset.'))
  assert.equal(await sink.done.promise, 'upstream-reset')
  body.stream.abort()
  assert.equal(runtime.beside.compressions.inside, 0)
})

test('beyond the bound an answer goes out as it is', () => {
  const runtime = new FakeRuntime()
  const one = (): Packed => {
    const stream = new FakeStream()
    return pack({ kind: 'stream', stream }, asking('gzip'), undefined, runtime)
  }
  for (let i = 0; i < 64; i++) {
    assert.equal(headerValue(one().head.headers, 'content-encoding'), 'gzip')
  }
  const { head } = one()
  assert.equal(headerValue(head.headers, 'content-encoding'), null)
  assert.equal(headerValue(head.headers, 'vary'), 'accept-encoding')
})
