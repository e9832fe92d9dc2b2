/**
 * Which code answers for which action.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeExchange } from '../../test/fake/exchange.ts'
import { fakeRule } from '../../test/fake/rule.ts'
import { FakeRuntime, FakeStream } from '../../test/fake/runtime.ts'
import { Later } from '../request/later.ts'
import type { PreparedAction, Rejected } from '../runtime/runtime.ts'
import { targetOf } from './cache/audience.ts'
import { forward } from './forward.ts'

const REJECT: Rejected = { kind: 'reject', status: 500, cause: 'rule-invalid', because: 'No.' }

const FIXED: readonly (readonly [PreparedAction, string])[] = [
  [{ kind: 'respond', status: 204, headers: [], body: null }, '204'],
  [{ kind: 'redirect', status: 302, scheme: null, host: null, port: null, path: null }, '302'],
  [REJECT, 'rule-invalid'],
]

test('every kind of action answers', async () => {
  for (const [action, expected] of FIXED) {
    const { exchange } = fakeExchange()
    exchange.rule = fakeRule({ action })
    const outcome = await forward(exchange, new FakeRuntime())
    assert.equal(
      outcome.kind === 'fail' ? outcome.cause : outcome.kind === 'respond' && `${outcome.status}`,
      expected,
    )
  }
})

test('a proxied request is answered by its backend', async () => {
  const runtime = new FakeRuntime()
  const { exchange } = fakeExchange({ path: '/a' })
  const single = { kind: 'backend', backend: 'shop/books:80' } as const
  exchange.rule = fakeRule({ action: { kind: 'proxy', conditional: null, single, weighted: [] } })
  const outcome = forward(exchange, runtime)
  assert(outcome instanceof Later)
  assert.equal(runtime.upstream.sent[0]?.backend, 'shop/books:80')
  runtime.upstream.listener?.head({ status: 201, headers: ['a', 'b'], stream: new FakeStream() })
  const answer = await outcome
  assert(answer.kind === 'respond')
  assert.equal(answer.status, 201)
  assert.equal(answer.by, 'upstream')
})

test('a change drops what was kept of its address, also where it offers another protocol', async () => {
  for (const upgrade of [null, 'foo/2']) {
    const runtime = new FakeRuntime()
    const { exchange } = fakeExchange({ method: 'DELETE', path: '/a', upgrade })
    const single = { kind: 'backend', backend: 'shop/books:80' } as const
    exchange.rule = fakeRule({ action: { kind: 'proxy', conditional: null, single, weighted: [] } })
    const target = targetOf(exchange)
    assert.equal(runtime.beside.answers.changedMs(target), Number.NEGATIVE_INFINITY)
    const outcome = forward(exchange, runtime)
    runtime.upstream.listener?.head({ status: 204, headers: [], stream: new FakeStream() })
    await outcome
    assert.ok(Number.isFinite(runtime.beside.answers.changedMs(target)), String(upgrade))
  }
})
