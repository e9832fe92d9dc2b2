/**
 * The last byte.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeExchange } from '../../test/fake/exchange.ts'
import { FakeRuntime } from '../../test/fake/runtime.ts'
import { finish } from './finish.ts'
import { BROKEN } from './respond/ending.ts'

test('what was held back is sent, and nothing more', () => {
  const whole = fakeExchange()
  const body = Buffer.from('body')
  const headers = ['a', 'b']
  finish(whole.exchange, { kind: 'whole', status: 201, headers, body }, new FakeRuntime())
  assert.deepEqual(whole.answer.calls, ['head', 'end'])
  assert.equal(whole.answer.body, 'body')
  const last = fakeExchange()
  last.answer.head(200, [])
  const trailers = ['x', 'y']
  finish(last.exchange, { kind: 'last', chunk: body, trailers }, new FakeRuntime())
  assert.equal(last.answer.body, 'body')
  assert.deepEqual(last.answer.trailers, trailers)
})

test('a broken answer ends its connection in the middle', () => {
  const { exchange, answer } = fakeExchange()
  answer.head(200, [])
  finish(exchange, BROKEN, new FakeRuntime())
  assert.equal(answer.state, 'broken')
})

test('an answer that cannot be finished ends its connection', () => {
  const { exchange, answer } = fakeExchange()
  const runtime = new FakeRuntime()
  answer.end = () => {
    throw new Error('the socket is odd')
  }
  finish(exchange, { kind: 'whole', status: 200, headers: [], body: null }, runtime)
  assert.equal(answer.state, 'broken')
  assert.equal(runtime.bugs.length, 1)
  answer.destroy = () => {
    throw new Error('very odd')
  }
  finish(exchange, BROKEN, runtime)
  assert.equal(runtime.bugs.length, 2)
})
