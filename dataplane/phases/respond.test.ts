/**
 * Answers up to their last byte.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeExchange } from '../../test/fake/exchange.ts'
import { FakeRuntime, FakeStream } from '../../test/fake/runtime.ts'
import { fail } from '../request/failure.ts'
import type { AnswerBody, Decision } from '../request/outcome.ts'
import { serve } from '../request/serve.ts'
import { respond } from './respond.ts'

function answering(body: AnswerBody, status = 200): Decision {
  return { kind: 'respond', status, headers: [], body, by: 'upstream' }
}

test('the last byte waits for the record', async () => {
  const decisions: readonly Decision[] = [
    answering({ kind: 'empty' }, 204),
    answering({ kind: 'bytes', bytes: Buffer.from('body') }),
    answering({ kind: 'stream', stream: new FakeStream(4) }),
    answering({ kind: 'stream', stream: new FakeStream(null) }),
    answering({ kind: 'stream', stream: new FakeStream(4) }, 304),
    fail('forbidden', 'No.'),
  ]
  for (const decision of decisions) {
    const runtime = new FakeRuntime()
    const { exchange, answer } = fakeExchange()
    const states: string[] = []
    runtime.sinks.push({ record: () => void states.push(answer.state) })
    const served = serve(exchange, runtime, [() => decision])
    if (decision.kind === 'respond' && decision.body.kind === 'stream') {
      const { stream } = decision.body
      assert(stream instanceof FakeStream)
      stream.push('body')
      stream.end()
    }
    await served
    assert.deepEqual(states, ['open'])
    assert.equal(answer.state, 'whole')
  }
})

test('an answer without content never waits for what its backend sends', () => {
  const { exchange, answer } = fakeExchange({ method: 'HEAD' })
  const stream = new FakeStream(5)
  exchange.decision = answering({ kind: 'stream', stream })
  const ending = respond(exchange, new FakeRuntime())
  assert('kind' in ending && ending.kind === 'whole')
  assert.equal(ending.body, null)
  assert.equal(answer.started, false)
  stream.push('what')
  assert.equal(stream.aborted, 1)
})

test('a client that is gone gets nothing, and its backend is told', () => {
  const { exchange, answer } = fakeExchange()
  const stream = new FakeStream(5)
  exchange.decision = answering({ kind: 'stream', stream })
  answer.leave()
  const ending = respond(exchange, new FakeRuntime())
  assert.deepEqual(ending, { kind: 'broken' })
  assert.equal(stream.aborted, 1)
  assert.equal(exchange.status, 499)
  assert.equal(exchange.broken?.cause, 'client-closed')
})

test('a head that cannot be sent is a bug, and ends the connection', () => {
  const runtime = new FakeRuntime()
  const { exchange, answer } = fakeExchange()
  answer.head = () => {
    throw new TypeError('invalid character')
  }
  exchange.decision = answering({ kind: 'stream', stream: new FakeStream(5) })
  assert.deepEqual(respond(exchange, runtime), { kind: 'broken' })
  assert.equal(runtime.bugs.length, 1)
  assert.equal(exchange.broken?.cause, 'bug')
})
