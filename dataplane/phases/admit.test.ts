/**
 * Proves admit.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBeside } from '../runtime/beside.ts'
import type { Limit } from '#wire/rate-limit'
import { fakeExchange } from '../../test/fake/exchange.ts'
import { fakeRule } from '../../test/fake/rule.ts'
import { FakeRuntime } from '../../test/fake/runtime.ts'
import { limit, memory, prepared, rateOf } from '../limits/fake/limit.ts'
import { SharedLimiter } from '../limits/shared-limiter.ts'
import type { Exchange } from '../request/exchange.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { admit, admitBeforeAuth } from './admit.ts'
import { anonymousCaller } from './authenticate/caller.ts'

function world(before: readonly Limit[], after: readonly Limit[]) {
  const { table, upstream, sinks } = new FakeRuntime()
  const limiter = new SharedLimiter(memory(), 0)
  const runtime: Runtime = {
    table,
    upstream,
    sinks,
    httpsPort: null,
    limiter,
    beside: createBeside(),
    bug: () => {},
  }
  const rule = fakeRule({
    limitsBeforeAuth: before.length === 0 ? null : prepared(...before),
    limitsAfterAuth: after.length === 0 ? null : prepared(...after),
  })
  const request = (change: (exchange: Exchange) => void = () => {}) => {
    const { exchange } = fakeExchange()
    exchange.rule = rule
    change(exchange)
    const first = admitBeforeAuth(exchange, runtime)
    const outcome = first.kind === 'continue' ? admit(exchange, runtime) : first
    const said = outcome.kind === 'fail' ? `${outcome.status} ${outcome.cause}` : outcome.kind
    return { exchange, outcome, said }
  }
  return { runtime, request }
}

const gauge = (name: string, max: number): Limit =>
  limit({ name, measure: { kind: 'concurrency', max } })

test('a refused request holds nothing of its stage', () => {
  const { runtime, request } = world(
    [gauge('early', 2)],
    [gauge('late', 5), limit({ name: 'calls', measure: rateOf(1, 60_000) })],
  )
  assert.equal(request().said, 'continue')
  const refused = request()
  assert.equal(refused.said, '429 rate-limited')
  assert.equal(refused.exchange.taken?.held.length, 1, 'the stage before keeps what it has')
  assert.equal(request().said, '429 concurrency-limited')
  runtime.limiter.release(refused.exchange.taken?.held ?? [])
  assert.equal(request().said, '429 rate-limited')
})

test('a rule without limits counts nobody', () => {
  const { exchange, said } = world([], []).request()
  assert.equal(said, 'continue')
  assert.equal(exchange.taken, null)
})

test('what both stages have taken is held until the exchange ends, and shown', () => {
  const { exchange } = world(
    [limit({ name: 'early', measure: rateOf(5, 1_000) })],
    [
      limit({ name: 'late' }),
      gauge('gauge', 1),
      limit({ name: 'seen', mode: 'observe', key: 'auth.consumer' }),
    ],
  ).request()
  assert.deepEqual(
    exchange.taken?.standings.map(({ name }) => name),
    ['early', 'late'],
  )
  assert.equal(exchange.taken?.held.length, 1)
  assert.deepEqual(exchange.taken?.observed, ['seen'])
})

test('a refusal says when to come back, and shows how the limits stand', () => {
  const { request } = world([], [limit({ measure: rateOf(1, 10_000) })])
  request()
  const { outcome, exchange } = request()
  assert.ok(outcome.kind === 'fail')
  assert.deepEqual(outcome.headers, ['retry-after', '10'])
  assert.equal(exchange.taken?.standings[0]?.remaining, 0)
  assert.match(outcome.detail, /"calls".*10 s/)
})

test('who cannot be counted is asked to say who they are, or refused', () => {
  const { request } = world([], [limit({ key: 'auth.consumer' })])
  const guest = request((exchange) => {
    exchange.caller = anonymousCaller('guest')
  })
  assert.equal(guest.said, '401 unauthenticated')
  assert.ok(guest.outcome.kind === 'fail')
  assert.deepEqual(guest.outcome.headers, ['www-authenticate', 'Bearer realm="fairlead"'])
  assert.equal(request().said, '401 unauthenticated')
  const known = request((exchange) => {
    exchange.caller = { ...anonymousCaller('staff'), anonymous: false }
  })
  assert.equal(known.said, '403 limit-key-missing')
  const tenant = limit({ stage: 'beforeAuth', key: 'request.headers.tenant' })
  assert.equal(world([tenant], []).request().said, '403 limit-key-missing')
})
