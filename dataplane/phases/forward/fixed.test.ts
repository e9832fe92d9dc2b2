/**
 * Answers without upstream.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeExchange } from '../../../test/fake/exchange.ts'
import type { Received } from '../../request/exchange.ts'
import { headerValue } from '../../request/headers.ts'
import { ExpressionFailure } from '../../runtime/expression-types.ts'
import type { PreparedRedirect } from '../../runtime/runtime.ts'
import { redirect, reject, respondFixed } from './fixed.ts'

const PLAIN: PreparedRedirect = {
  kind: 'redirect',
  status: 308,
  scheme: null,
  host: null,
  port: null,
  path: null,
}

function location(action: Partial<PreparedRedirect>, received: Partial<Received> = {}): string {
  const { exchange } = fakeExchange({ path: '/a', ...received })
  exchange.rest = 'x/y'
  const outcome = redirect({ ...PLAIN, ...action }, exchange)
  assert(outcome.kind === 'respond')
  return headerValue(outcome.headers, 'location') ?? ''
}

test('Location is absolute, from the matched host and the canonical path', () => {
  assert.equal(location({}), 'http://shop.example.com/a')
  assert.equal(location({}, { query: 'b=%41&c' }), 'http://shop.example.com/a?b=%41&c')
  const path = [{ literal: '/v1/' }, { rest: true as const }]
  assert.equal(location({ path }), 'http://shop.example.com/v1/x/y')
  assert.equal(location({ scheme: 'https', host: 'b.example' }), 'https://b.example/a')
})

test('the port is the one that the client came to, unless scheme, host or rule say otherwise', () => {
  const headers = ['Host', 'shop.example.com:8080']
  assert.equal(location({}, { headers }), 'http://shop.example.com:8080/a')
  assert.equal(location({ scheme: 'https' }, { headers }), 'https://shop.example.com/a')
  assert.equal(location({ host: 'b.example' }, { headers }), 'http://b.example/a')
  assert.equal(location({ port: 81 }, { headers }), 'http://shop.example.com:81/a')
  assert.equal(location({ port: 80 }, { headers }), 'http://shop.example.com/a')
  assert.equal(location({ port: 443, scheme: 'https' }, { headers }), 'https://shop.example.com/a')
  assert.equal(
    location({}, { host: '[::1]', headers: ['host', '[::1]:8080'] }),
    'http://[::1]:8080/a',
  )
  assert.equal(location({}, { host: '[::1]', headers: ['host', '[::1]'] }), 'http://[::1]/a')
})

test('a path that cannot be built is no redirect', () => {
  const { exchange } = fakeExchange()
  exchange.params = { x: '..' }
  const outcome = redirect({ ...PLAIN, path: [{ literal: '/a/' }, { param: 'x' }] }, exchange)
  assert(outcome.kind === 'fail')
  assert.equal(outcome.cause, 'rewrite-invalid')
})

test('a fixed answer says what the rule says, as text unless it says otherwise', () => {
  const { exchange } = fakeExchange()
  const body = Buffer.from('pong')
  const plain = respondFixed({ kind: 'respond', status: 200, headers: [], body }, exchange)
  assert(plain.kind === 'respond' && plain.body.kind === 'bytes')
  assert.equal(plain.by, 'gateway')
  assert.equal(headerValue(plain.headers, 'content-type'), 'text/plain; charset=utf-8')
  const typed = respondFixed(
    {
      kind: 'respond',
      status: 201,
      headers: [{ name: 'content-type', value: 'application/json', onFailure: 'remove' }],
      body: { render: () => '{}', value: () => '{}' },
    },
    exchange,
  )
  assert(typed.kind === 'respond' && typed.body.kind === 'bytes')
  assert.deepEqual(typed.headers, ['content-type', 'application/json'])
  assert.equal(typed.body.bytes.toString(), '{}')
  const empty = respondFixed({ kind: 'respond', status: 204, headers: [], body: null }, exchange)
  assert(empty.kind === 'respond' && empty.body.kind === 'empty')
  assert.deepEqual(empty.headers, [])
})

test('a fixed answer that cannot be computed fails', () => {
  const failure = new ExpressionFailure('absent')
  const body = { render: () => failure, value: () => failure }
  const { exchange } = fakeExchange()
  const outcome = respondFixed({ kind: 'respond', status: 200, headers: [], body }, exchange)
  assert(outcome.kind === 'fail')
  assert.equal(outcome.cause, 'expression-failed')
})

test('what is unusable says so', () => {
  const failure = reject({ kind: 'reject', status: 503, cause: 'rule-rejected', because: 'Here.' })
  assert.equal(failure.status, 503)
  assert.equal(failure.detail, 'Here.')
})
