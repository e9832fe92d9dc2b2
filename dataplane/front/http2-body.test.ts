/**
 * Proves that only END_STREAM completes a body, with raw frames.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../upstream/fake/recorder.ts'
import type { Outcome } from '../request/outcome.ts'
import { echo, ok, startFront } from './fake/front.ts'
import { data, frame, frameClient, headers, number, requestFields, TYPE } from './fake/frames.ts'

test('DATA that disagrees with content-length aborts the upload, never completes it', async (t) => {
  for (const [length, bytes] of [
    ['5', 'abc'],
    ['2', 'abc'],
  ] as const) {
    const { port, exchanges, records } = await startFront(t, echo)
    const client = frameClient(t, port)
    const fields = requestFields('POST', '/', [['content-length', length]])
    client.send(headers(1, fields, 'open'))
    await until('it has begun', () => exchanges.length === 1)
    client.send(data(1, bytes))
    await until('it is recorded', () => records.length === 1)
    assert.equal(records[0]?.complete, false)
    assert.equal(records[0]?.status, 499)
  }
})

test('a stream that is reset in its body is an abort, whatever its code', async (t) => {
  for (const code of [0, 8, 1]) {
    const { port, records, exchanges } = await startFront(t, echo)
    const client = frameClient(t, port)
    client.send(headers(1, requestFields('POST', '/'), 'open'), data(1, 'abc', 'open'))
    await until('it has begun', () => exchanges[0]?.bytesIn === 3)
    client.send(frame(TYPE.reset, 0, 1, number(code)), headers(3, requestFields('GET', '/')))
    await until('it is recorded', () => records.length === 2)
    assert.deepEqual(new Set(records.map(({ status }) => status)), new Set([200, 499]))
  }
})

test('an upload is paced by whoever reads it', async (t) => {
  let resume = (): void => undefined
  let got = 0
  const { port } = await startFront(t, (exchange) => {
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    resume = () => exchange.body.resume()
    exchange.body.start({
      data: (chunk) => {
        got += chunk.length
        return 'pause'
      },
      end: () => resolve(ok(String(got))),
      abort: () => resolve(ok('aborted')),
    })
    return promise
  })
  const client = frameClient(t, port)
  client.send(headers(1, requestFields('POST', '/'), 'open'))
  for (let i = 0; i < 4; i++) client.send(data(1, Buffer.alloc(16_000), 'open'))
  await until('a piece has come', () => got > 0)
  assert.ok(got < 64_000)
  client.send(data(1, '', 'last'))
  await until('all is read', () => {
    resume()
    return client.ended().includes(1)
  })
  assert.equal(got, 64_000)
})

test('100 Continue goes out when somebody wants the body, and only then', async (t) => {
  for (const wanted of ['yes', 'no'] as const) {
    const { port } = await startFront(t, (exchange, runtime) =>
      wanted === 'yes' ? echo(exchange, runtime) : ok('no'),
    )
    const client = frameClient(t, port)
    client.send(headers(1, requestFields('POST', '/', [['expect', '100-continue']]), 'open'))
    await until('something is answered', () => client.frames.some(({ type }) => type === 1))
    if (wanted === 'yes') client.send(data(1, 'abc'))
    await until('it is answered', () => client.ended().includes(1))
    const heads = client.frames.filter(({ type }) => type === TYPE.headers)
    assert.equal(heads.length, wanted === 'yes' ? 2 : 1)
  }
})
