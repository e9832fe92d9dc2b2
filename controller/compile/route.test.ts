/**
 * Rules of routes as a whole.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RouteRule } from '../../crds/api-route.ts'
import { checkValue } from '#wire/check'
import { service, world } from './fake/world.ts'
import { FieldPath } from './problem.ts'
import { compileRule } from './route.ts'
import type { CompiledRule, StepWithin } from './steps.ts'

const AT = new FieldPath<RouteRule>('spec.rules[0]')
const WITHIN = world([service('books', [{ port: 80 }])])
const BOOKS = { service: { name: 'books', port: 80 } }

function compile(rule: RouteRule, within: StepWithin = WITHIN): ReturnType<typeof compileRule> {
  return compileRule(rule, AT, within)
}

/** Whatever comes out is something that a data plane can execute. */
function assertOnTheWire(value: CompiledRule): void {
  const { backends, traffic, ...rest } = value
  const rule = {
    ...rest,
    ...traffic,
    route: 'shop/r',
    name: 'a',
    auth: { kind: 'open' },
    limits: [],
  } as const
  assert.equal(checkValue('rule', rule), null)
  for (const backend of backends.values()) assert.equal(checkValue('backend', backend), null)
}

test('a rule becomes what a data plane executes', () => {
  const { value, problems } = compile({
    name: 'catalogue',
    match: [{ method: 'GET', path: '/books/**' }, { path: '/b/**' }],
    backends: [BOOKS],
    rewrite: { path: '/v2/**', host: 'search.internal' },
    requestHeaders: { set: [{ name: 'x-tenant', value: '${auth.claims.tenant}' }] },
    responseHeaders: { remove: ['server'] },
    timeouts: { total: '2s' },
  })
  assert.deepEqual(problems, [])
  assertOnTheWire(value)
  assert.equal(value.totalTimeoutMs, 2000)
  assert.equal(value.matches.length, 2)
  assert.deepEqual(value.action, {
    kind: 'proxy',
    backends: [{ when: null, weight: 1, to: { kind: 'backend', backend: 'shop/books:80' } }],
  })
  assert.deepEqual(value.rewrite, {
    path: [{ literal: '/v2/' }, { rest: true }],
    host: 'search.internal',
  })
  assert.deepEqual(value.responseHeaders, { remove: ['server'], set: [], add: [] })
})

test('what a rule does not say is null, and its timeout is the documented one', () => {
  const { value } = compile({ name: 'a', match: [{ path: '/a' }], backends: [BOOKS] })
  assert.equal(value.rewrite, null)
  assert.equal(value.requestHeaders, null)
  assert.equal(value.responseHeaders, null)
  assert.equal(value.totalTimeoutMs, 30_000)
})

test('a rule that cannot be executed rejects and keeps its matches', () => {
  const broken: readonly Partial<RouteRule>[] = [
    { requestHeaders: { set: [{ name: 'host', value: 'a' }] } },
    { responseHeaders: { add: [{ name: 'x-a', value: '${nothing}' }] } },
    { rewrite: { path: '/v2/{id}' } },
    { timeouts: { total: '0s' } },
    { timeouts: { total: '99999h' } },
    { retry: { attempts: 2, perTry: '0s' } },
    { cors: { origins: ['*'], maxAge: '99999h' } },
    { backends: [{ ...BOOKS, when: 'auth.' }, BOOKS] },
    { backends: [{ ...BOOKS, weight: 0 }] },
    { match: [{ path: '/a' }, { path: '/b/%2e' }] },
    { match: [{ path: '/a', when: 'auth.method == "x"' }] },
  ]
  for (const part of broken) {
    const rule = { name: 'a', match: [{ path: '/a' }], backends: [BOOKS], ...part }
    const { value, problems } = compile(rule)
    const shown = JSON.stringify(part)
    assert.ok(problems.length > 0, shown)
    assert.ok(value.action.kind === 'reject' && value.action.cause === 'rule-invalid', shown)
    assert.equal(value.matches.length, 1, shown)
    assert.equal(value.backends.size, 0, shown)
    assertOnTheWire(value)
  }
})

test('a missing Service is not the fault of the rule: only its share rejects', () => {
  const rule = { name: 'a', match: [{ path: '/a' }], backends: [BOOKS] }
  const { value, problems } = compile(rule, world())
  assert.deepEqual(
    problems.map(({ reason }) => reason),
    ['BackendNotFound'],
  )
  assert.equal(value.action.kind, 'proxy')
  assertOnTheWire(value)
})

test('a rule does exactly one thing', () => {
  const match = [{ path: '/a' }]
  const none = compile({ name: 'a', match })
  assert.match(none.problems[0]?.sentence ?? '', /exactly one of .* There is none\./)
  const two = compile({ name: 'a', match, backends: [BOOKS], respond: { status: 200 } })
  assert.match(two.problems[0]?.sentence ?? '', /There are backends, respond\./)
  assert.equal(two.value.action.kind, 'reject')
})

test('a field that is not supported yet fails closed and is named', () => {
  const { value, problems } = compile({
    name: 'a',
    match: [{ path: '/a' }],
    backends: [BOOKS],
    readBody: { max: '1Mi' },
  })
  assert.equal(value.action.kind, 'reject')
  assert.equal(problems[0]?.reason, 'NotSupportedYet')
  assert.equal(problems[0]?.path, 'spec.rules[0].readBody')
})

test('what has no effect is said, but stops nothing', () => {
  const { value, problems } = compile({
    name: 'a',
    match: [{ path: '/a' }],
    respond: { status: 200 },
    rewrite: { path: '/b' },
    requestHeaders: { remove: ['cookie'] },
  })
  assert.equal(value.action.kind, 'respond')
  assert.deepEqual(
    problems.map(({ path, severity }) => [path, severity]),
    [
      ['spec.rules[0].rewrite', 'warning'],
      ['spec.rules[0].requestHeaders', 'warning'],
    ],
  )
})

test('fixed answers, redirects and aggregates are actions of their own', () => {
  const match = [{ path: '/v0/**' }]
  const redirect = compile({ name: 'a', match, redirect: { status: 308, path: '/v1/**' } })
  const respond = compile({ name: 'a', match, respond: { status: 200, body: 'pong' } })
  const aggregate = compile({
    name: 'a',
    match,
    aggregate: {
      calls: { book: { backend: BOOKS, path: '/b' } },
      response: { body: { book: '${calls.book.body}' } },
    },
  })
  for (const { value, problems } of [redirect, respond, aggregate]) {
    assert.deepEqual(problems, [])
    assertOnTheWire(value)
  }
  assert.equal(redirect.value.action.kind, 'redirect')
  assert.equal(respond.value.action.kind, 'respond')
  assert.equal(aggregate.value.action.kind, 'aggregate')
  assert.deepEqual([...aggregate.value.backends.keys()], ['shop/books:80'])
})
