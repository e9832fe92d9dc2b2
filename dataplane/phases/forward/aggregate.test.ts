/**
 * Promises of aggregate.ts and the files beside it: single calls and the answer.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Call } from '#wire/aggregate'
import { fakeExchange } from '../../../test/fake/exchange.ts'
import { fakeRule } from '../../../test/fake/rule.ts'
import { FakeRuntime } from '../../../test/fake/runtime.ts'
import { aggregate } from './aggregate.ts'
import { CALL_FAILURE_CODES } from './aggregate-call.ts'
import { action, ask, body, call, ECHO, json, prepared, rig } from './fake/aggregate-rig.ts'

test('calls run at once where nothing orders them', async (t) => {
  const waiting: ServerResponse[] = []
  const made = await rig(t, (_, response) => {
    waiting.push(response)
    // Nobody is answered before both have arrived.
    if (waiting.length === 2) for (const one of waiting) json(one, 200, '{"x":1}')
  })
  const calls = [call('a', { path: '/a' }), call('b', { path: '/b' })]
  const { status, text, header } = await ask(
    action(calls, body({ a: 'calls.a.body', b: 'calls.b.body.x' })),
    made,
  )
  assert.equal(status, 200)
  assert.equal(text, '{"a":{"x":1},"b":1}')
  assert.equal(header('aggregate-status'), 'complete')
  assert.match(header('server-timing') ?? '', /a;dur=\d+\.\d, b;dur=/)
})

test('a call that needs another one gets its answer, integers with all their digits', async (t) => {
  const made = await rig(t, ECHO)
  const calls = [
    call('order', { path: '/200/{"customer":12345678901234567890,"n":1.0}' }),
    call('customer', {
      dependsOn: ['order'],
      path: { segments: [['200'], ['"', { expr: 'calls.order.body.customer' }, '"']], query: [] },
    }),
  ]
  const tree = body({
    order: 'calls.order.body',
    id: 'calls.customer.body',
    status: 'calls.order.status',
  })
  const { text } = await ask(action(calls, tree), made)
  assert.equal(
    text,
    '{"order":{"customer":12345678901234567890,"n":1.0},"id":"12345678901234567890","status":200}',
  )
  assert.deepEqual(made.seen.length, 2)
})

test('an answer that is not what was expected is a failure with its code', async (t) => {
  const made = await rig(t, (request, response) => {
    const [, kind] = (request.url ?? '').split('/')
    if (kind === 'plain') response.writeHead(200, { 'content-type': 'text/plain' }).end('x')
    else if (kind === 'gzip') {
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
        .end('x')
    } else if (kind === 'torn') json(response, 200, '{"a":')
    else if (kind === 'reset') response.socket?.destroy()
    else if (kind === 'large') json(response, 200, JSON.stringify('x'.repeat(200_000)))
    else json(response, Number(kind), '{}')
  })
  const expected: Readonly<Record<string, string>> = {
    '/500': 'unexpected-status',
    '/302': 'unexpected-status',
    '/404': 'unexpected-status',
    '/plain': 'unexpected-type',
    '/gzip': 'unexpected-type',
    '/torn': 'unparsable',
    '/reset': 'broken',
    '/large': 'too-large',
  }
  for (const [path, code] of Object.entries(expected)) {
    const one = call('a', {
      path,
      fallback: { kind: 'value', value: { left: 0 } },
      expect: { statuses: [{ from: 200, to: 299 }], contentType: 'application/json' },
    })
    const { status, text, header } = await ask(
      action([one], body({ a: 'calls.a.body', ok: 'calls.a.ok' })),
      made,
    )
    assert.equal(status, 200, path)
    const wanted = { a: { left: 0 }, ok: false }
    const errors = ['a', 'ok'].map((at) => ({ path: at, call: 'a', code }))
    assert.deepEqual(JSON.parse(text), { ...wanted, _errors: errors }, path)
    assert.equal(header('aggregate-status'), 'partial;failed="a"', path)
  }
})

test('no bytes are no JSON where there may be some, and null where there are none by rule', async (t) => {
  const made = await rig(t, (request, response) => {
    const [, status = '', type = ''] = decodeURIComponent(request.url ?? '').split('/')
    const headers = type === '' ? {} : { 'content-type': `application/${type}` }
    response.writeHead(Number(status), headers).end()
  })
  const cases: readonly (readonly [string, Partial<Call>, string | null])[] = [
    ['/200/json', {}, 'unparsable'],
    ['/201/problem+json', {}, 'unparsable'],
    ['/200/json', { method: 'HEAD' }, null],
    ['/204/json', {}, null],
    ['/205/json', {}, null],
    ['/200', {}, null],
    ['/200/pdf', {}, null],
  ]
  for (const [path, some, code] of cases) {
    const optional = call('a', { path, ...some, fallback: { kind: 'value', value: 'none' } })
    const { text } = await ask(action([optional], body({ a: 'calls.a.body' })), made)
    const errors = code === null ? {} : { _errors: [{ path: 'a', call: 'a', code }] }
    const shown = code === null ? null : 'none'
    assert.deepEqual(JSON.parse(text), { a: shown, ...errors }, path)
    const required = call('a', { path, ...some })
    const { cause } = await ask(action([required], body({ a: 'calls.a.body' })), made)
    assert.equal(cause, code === null ? null : 'call-failed', path)
  }
})

test('a required call decides: its 4xx passes, all else is 502, its time 504', async (t) => {
  const made = await rig(t, (request, response) => {
    if (request.url !== '/slow') ECHO(request, response)
  })
  const cases: readonly (readonly [string, number, string | null])[] = [
    ['/404/{"no":"such"}', 404, null],
    ['/500/{}', 502, 'call-failed'],
    ['/301/{}', 502, 'call-failed'],
    ['/200/{"a":', 502, 'call-failed'],
    ['/slow', 504, 'call-timeout'],
  ]
  for (const [path, status, cause] of cases) {
    const result = await ask(
      action([call('a', { path, timeoutMs: 80 })], body({ a: 'calls.a.body' })),
      made,
    )
    assert.deepEqual([result.status, result.cause], [status, cause], path)
    if (status === 404) assert.equal(result.text, '{"no":"such"}')
  }
})

test('a value that is missing, or would be no single segment, is never sent', async (t) => {
  const made = await rig(t, ECHO)
  for (const expr of ['calls.a.body.none', '".."', '""', 'request.params.none']) {
    const a = call('a', { path: '/200/{"x":1}' })
    const b = call('b', { dependsOn: ['a'], path: { segments: [['200'], [{ expr }]], query: [] } })
    const result = await ask(action([a, b], body({ b: 'calls.b.body' })), made)
    assert.deepEqual([result.status, result.cause], [502, 'missing-input'], expr)
  }
  assert.equal(made.seen.filter((target) => target !== '/200/%7B%22x%22%3A1%7D').length, 0)
})

test('the order in which calls fail is not told', async (t) => {
  const arrived: ServerResponse[] = []
  const made = await rig(t, (_, response) => {
    arrived.push(response)
    const [first, second] = arrived
    if (first === undefined || second === undefined) return
    second.on('close', () => json(first, 500, '{}'))
    json(second, 503, '{}')
  })
  const fallback = { kind: 'none' } as const
  const calls = [call('a', { path: '/a', fallback }), call('b', { path: '/b', fallback })]
  const { text, header } = await ask(
    action(calls, body({ a: 'calls.a.ok', b: 'calls.b.ok' })),
    made,
  )
  assert.equal(header('aggregate-status'), 'partial;failed="a b"')
  assert.match(header('server-timing') ?? '', /^a;dur=.*, b;dur=/)
  assert.match(text, /"_errors":\[\{"path":"a",.*\{"path":"b",/)
})

test('a missing part is said in the header, in _errors and to caches', async (t) => {
  const made = await rig(t, ECHO)
  const calls = [
    call('a', { path: '/200/{"x":1}' }),
    call('b', { path: '/503/{}', fallback: { kind: 'none' } }),
  ]
  const response = {
    status: null,
    headers: [{ name: 'cache-control', value: ['max-age=60'], onFailure: 'remove' as const }],
    body: body({ x: 'calls.a.body.x', deep: 'calls.b.body.left', b: 'calls.b.body' }),
  }
  const full = action(calls, response.body, {
    response,
    errors: { field: '_errors', detail: 'full' },
  })
  const { status, text, header } = await ask(full, made)
  assert.equal(status, 200)
  const parsed = JSON.parse(text)
  assert.deepEqual([parsed.x, parsed.deep, parsed.b], [1, null, null])
  assert.deepEqual(parsed._errors.map((error: { path: string }) => error.path).toSorted(), [
    'b',
    'deep',
  ])
  assert.deepEqual(parsed._errors[0].status, 503)
  assert.equal(parsed._errors[0].fallback, 'none')
  assert.equal(header('cache-control'), 'no-store')
  assert.equal(header('aggregate-status'), 'partial;failed="b";holes=1')
  const silent = action(calls, response.body, { errors: { field: '_errors', detail: 'none' } })
  assert.equal((await ask(silent, made)).text, '{"x":1,"deep":null,"b":null}')
})

test('a combined answer that would be too large is refused, not cut', async (t) => {
  const made = await rig(t, ECHO)
  const one = call('a', { path: `/200/"${'x'.repeat(60)}"` })
  const twice = body({ one: 'calls.a.body', two: 'calls.a.body' })
  assert.equal((await ask(action([one], twice, { totalBytesMax: 200 }), made)).status, 200)
  const large = await ask(action([one], twice, { totalBytesMax: 100 }), made)
  assert.deepEqual([large.status, large.cause], [500, 'response-invalid'])
})

test('a client that leaves ends its aggregate, so that the exchange is recorded', async () => {
  const runtime = new FakeRuntime()
  const { exchange, answer } = fakeExchange()
  const made = prepared(action([call('a', { path: '/a' })], body({ a: 'calls.a.body' })))
  const outcome = aggregate(made, fakeRule(), exchange, runtime)
  assert.equal(runtime.upstream.sent.length, 1)
  answer.leave()
  assert.equal(runtime.upstream.aborted, 1)
  const ended = await outcome
  assert.equal(ended.kind === 'fail' ? ended.cause : ended.kind, 'client-closed')

  const gone = fakeExchange()
  gone.answer.leave()
  const late = await aggregate(made, fakeRule(), gone.exchange, runtime)
  assert.equal(late.kind === 'fail' ? late.cause : late.kind, 'client-closed')
  assert.equal(runtime.upstream.sent.length, 1)
})

test('docs/aggregates.md names every code of _errors, and no other', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/aggregates.md'), 'utf8')
  const named = page.match(/^\| `([a-z-]+)` \|/gm) ?? []
  const documented = named.map((row) => row.slice(3, -3))
  // A hole that no call explains has a word of its own.
  assert.deepEqual(documented, [...CALL_FAILURE_CODES, 'missing-value'])
})
