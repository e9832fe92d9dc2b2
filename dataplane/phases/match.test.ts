/**
 * The first phase.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeExchange } from '../../test/fake/exchange.ts'
import { FakeRuntime } from '../../test/fake/runtime.ts'
import { match } from './match.ts'

test('a request that no rule takes is answered, and says why', () => {
  const { exchange } = fakeExchange({ host: 'nobody.example.com' })
  const outcome = match(exchange, new FakeRuntime())
  assert(outcome.kind === 'fail')
  assert.equal(outcome.cause, 'no-route')
  assert.equal(outcome.status, 404)
  assert.equal(exchange.rule, null)
})
