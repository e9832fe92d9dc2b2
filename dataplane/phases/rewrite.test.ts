/**
 * What goes upstream, as a whole.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeExchange } from '../../test/fake/exchange.ts'
import { fakeRule } from '../../test/fake/rule.ts'
import { FakeRuntime } from '../../test/fake/runtime.ts'
import type { PreparedAction } from '../runtime/runtime.ts'
import { rewrite } from './rewrite.ts'

const action: PreparedAction = { kind: 'proxy', conditional: null, single: null, weighted: [] }

test('what goes upstream is canonical and holds no credential', () => {
  const { exchange } = fakeExchange({
    path: '/v1/a',
    query: 'key=k&b=1&%6Bey=k2',
    headers: ['A', '1'],
  })
  exchange.rule = fakeRule({
    action,
    rewrite: { path: [{ literal: '/v2/' }, { rest: true }], host: 'search.internal' },
  })
  exchange.rest = 'a'
  exchange.strip = { headers: [], cookies: [], queryParams: ['key'] }
  assert.equal(rewrite(exchange, new FakeRuntime()).kind, 'continue')
  assert.equal(exchange.upstreamPath, '/v2/a')
  assert.equal(exchange.upstreamQuery, 'b=1')
  assert.equal(exchange.upstreamHost, 'search.internal')
  assert.deepEqual(exchange.upstreamHeaders.slice(0, 2), ['A', '1'])
})

test('without a rewrite the request goes on as it is', () => {
  const { exchange } = fakeExchange({ path: '/v1/a', query: 'q=%41;x' })
  exchange.rule = fakeRule({ action })
  assert.equal(rewrite(exchange, new FakeRuntime()).kind, 'continue')
  assert.equal(exchange.upstreamPath, '/v1/a')
  assert.equal(exchange.upstreamQuery, 'q=%41;x')
  assert.equal(exchange.upstreamHost, null)
})

test('a path that cannot be rewritten fails, and nothing goes upstream', () => {
  const { exchange } = fakeExchange()
  exchange.params = { x: '..' }
  exchange.rule = fakeRule({
    action,
    rewrite: { path: [{ literal: '/a/' }, { param: 'x' }], host: null },
  })
  const outcome = rewrite(exchange, new FakeRuntime())
  assert(outcome.kind === 'fail')
  assert.equal(outcome.cause, 'rewrite-invalid')
})

test('an answer without upstream costs no rewriting', () => {
  const { exchange } = fakeExchange()
  exchange.rule = fakeRule()
  assert.equal(rewrite(exchange, new FakeRuntime()).kind, 'continue')
  assert.deepEqual(exchange.upstreamHeaders, [])
})
