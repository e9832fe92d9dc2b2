/**
 * Faults on purpose.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Faults } from '#wire/traffic'
import { fakeExchange, type FakeExchange } from '../../test/fake/exchange.ts'
import { fakeRule } from '../../test/fake/rule.ts'
import { FakeRuntime } from '../../test/fake/runtime.ts'
import type { Outcome } from '../request/outcome.ts'
import { injectFaults } from './faults.ts'

const RUNTIME = new FakeRuntime()

function faulty(faults: Faults | null): FakeExchange {
  const fake = fakeExchange()
  fake.exchange.rule = fakeRule({ faults })
  return fake
}

function said(outcome: Outcome): string {
  return outcome.kind === 'fail' ? `${outcome.status} ${outcome.cause}` : outcome.kind
}

test('each share of the requests gets its fault', () => {
  const faults = { delay: null, abort: { share: 25_000, status: 418 } }
  const outcomes = Array.from({ length: 100 }, (_, i) => {
    const outcome = injectFaults(faulty(faults).exchange, RUNTIME, () => i / 100)
    assert(!(outcome instanceof Promise))
    return said(outcome)
  })
  assert.equal(outcomes.filter((one) => one === '418 fault-injected').length, 25)
  assert.equal(outcomes.filter((one) => one === 'continue').length, 75)
})

test('none gets none, all gets all, and without faults nobody waits', async () => {
  const share = (abort: number, delay: number): unknown =>
    injectFaults(
      faulty({ delay: { share: delay, ms: 1 }, abort: { share: abort, status: 500 } }).exchange,
      RUNTIME,
    )
  for (let i = 0; i < 50; i++) assert.deepEqual(share(0, 0), { kind: 'continue' })
  const held = share(100_000, 100_000)
  assert(held instanceof Promise)
  assert.equal(said((await held) as Outcome), '500 fault-injected')
  assert.deepEqual(injectFaults(faulty(null).exchange, RUNTIME), { kind: 'continue' })
})

test('a client that leaves is not waited for', async () => {
  const hour = { delay: { share: 100_000, ms: 3_600_000 }, abort: null }
  const { exchange, answer } = faulty(hour)
  const held = injectFaults(exchange, RUNTIME)
  answer.leave()
  assert.equal(said(await held), '499 client-closed')
})
