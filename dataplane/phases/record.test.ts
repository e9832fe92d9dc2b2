/**
 * What is remembered of an exchange.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeExchange } from '../../test/fake/exchange.ts'
import { fakeRule } from '../../test/fake/rule.ts'
import { FakeRuntime } from '../../test/fake/runtime.ts'
import { fail } from '../request/failure.ts'
import { record } from './record.ts'
import { BROKEN, type Ending } from './respond/ending.ts'

const WHOLE: Ending = { kind: 'whole', status: 200, headers: [], body: null }

test('a record says how the exchange ended, and a sink cannot prevent it', () => {
  const runtime = new FakeRuntime()
  runtime.sinks.unshift({
    record: () => {
      throw new Error('full')
    },
  })
  const { exchange } = fakeExchange({ headers: ['User-Agent', 'curl/8'], path: '/books' })
  exchange.rule = fakeRule()
  exchange.taken = { standings: [], held: [3, 4], observed: ['would-refuse'] }
  exchange.decision = fail('forbidden', 'No.')
  exchange.status = 403
  exchange.bytesOut = 10
  record(exchange, WHOLE, runtime)
  assert.deepEqual(runtime.limiter.released, [3, 4])
  assert.equal(runtime.bugs.length, 1)
  const [made] = runtime.records
  assert.deepEqual(
    { ...made, durationMs: 0 },
    {
      id: '01JZZZZZZZ0000000000000000',
      startedAtMs: 1_760_000_000_000,
      durationMs: 0,
      upstreamMs: null,
      protocol: '1.1',
      method: 'GET',
      scheme: 'http',
      host: 'shop.example.com',
      path: '/books',
      ip: '192.0.2.7',
      peer: '192.0.2.7',
      userAgent: 'curl/8',
      route: 'shop/books',
      rule: 'shop/books/list',
      authMethod: null,
      consumer: null,
      status: 403,
      by: 'gateway',
      cause: 'forbidden',
      fault: 'client',
      word: 'forbidden',
      backend: null,
      bytesIn: 0,
      bytesOut: 10,
      complete: true,
      partial: false,
      observed: ['would-refuse'],
    },
  )
})

test('a broken answer keeps the status that was sent, and says why it broke', () => {
  const runtime = new FakeRuntime()
  const { exchange } = fakeExchange()
  exchange.decision = {
    kind: 'respond',
    status: 200,
    headers: [],
    body: { kind: 'empty' },
    by: 'upstream',
  }
  exchange.status = 200
  exchange.upstreamHeadMs = exchange.startedMs + 12
  exchange.broken = fail('upstream-reset', 'Reset.')
  record(exchange, BROKEN, runtime)
  const [made] = runtime.records
  assert.equal(made?.status, 200)
  assert.equal(made.by, 'upstream')
  assert.equal(made.cause, 'upstream-reset')
  assert.equal(made.fault, 'upstream')
  assert.equal(made.complete, false)
  assert.equal(made.upstreamMs, 12)
})

test("a policy's own word stands beside the gateway's cause", () => {
  const runtime = new FakeRuntime()
  const { exchange } = fakeExchange()
  exchange.decision = { ...fail('forbidden', 'No.'), word: 'suspended' }
  record(exchange, WHOLE, runtime)
  assert.equal(runtime.records[0]?.cause, 'forbidden')
  assert.equal(runtime.records[0]?.word, 'suspended')
})
