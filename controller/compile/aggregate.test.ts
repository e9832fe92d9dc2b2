/**
 * Aggregates as a whole.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AggregateSpec, CallSpec } from '../../crds/aggregate.ts'
import { checkValue } from '#wire/check'
import { compileAggregate } from './aggregate.ts'
import { service, world } from './fake/world.ts'
import { FieldPath } from './problem.ts'

const AT = new FieldPath<AggregateSpec>('spec.rules[0].aggregate')
const WITHIN = world([
  service('orders', [{ port: 80 }]),
  service('customers', [{ port: 80 }]),
  service('stock', [{ port: 80 }]),
])

function compile(spec: AggregateSpec): ReturnType<typeof compileAggregate> {
  return compileAggregate(spec, AT, WITHIN)
}

function backend(name: string): CallSpec['backend'] {
  return { service: { name, port: 80 } }
}

function call(path: string, more: Partial<CallSpec> = {}): CallSpec {
  return { backend: backend('orders'), path, ...more }
}

function sentences(spec: AggregateSpec): string {
  const { value, problems } = compile(spec)
  assert.equal(value.action.kind, 'reject')
  return problems.map(({ path, sentence }) => `${path}: ${sentence}`).join('\n')
}

const RESPONSE = { body: {} }

/** The example of the documentation. */
const ORDER_PAGE: AggregateSpec = {
  deadline: '800ms',
  limits: { calls: 50, concurrency: 12, totalBytes: '8Mi' },
  errors: { field: '_errors', detail: 'summary' },
  calls: {
    stock: {
      forEach: {
        in: 'calls.order.body.lines',
        as: 'line',
        key: 'line.sku',
        max: 50,
        concurrency: 8,
        overflow: 'fail',
        onItemError: 'fallback',
      },
      backend: backend('stock'),
      path: '/stock/${line.sku}',
      fallback: { value: { left: 0 } },
      expect: { status: ['2xx'], contentType: 'application/json' },
      headers: { forward: ['identity', 'trace'], set: [] },
    },
    order: { backend: backend('orders'), path: '/orders/${request.params.id}' },
    customer: {
      backend: backend('customers'),
      path: '/customers/${calls.order.body.customerId}',
      fallback: { value: { name: 'unknown' } },
    },
    audit: {
      after: ['order'],
      method: 'POST',
      path: '/audit',
      body: '${calls.order.body}',
      backend: backend('orders'),
      timeout: '100ms',
      when: 'calls.order.ok',
    },
  },
  response: {
    status: '${calls.order.status}',
    headers: [{ name: 'etag', value: '${calls.order.headers.etag}' }],
    body: {
      id: '${calls.order.body.id}',
      customer: '${calls.customer.body}',
      lines:
        '${calls.order.body.lines.map(l, {"sku": l.sku, "left": calls.stock[l.sku].body.left})}',
    },
  },
}

test('dependencies are inferred, and each call comes after its own', () => {
  const { value, problems } = compile(ORDER_PAGE)
  assert.deepEqual(problems, [])
  const { action } = value
  assert.ok(action.kind === 'aggregate')
  assert.deepEqual(
    action.calls.map(({ name, dependsOn }) => [name, dependsOn]),
    [
      ['order', []],
      ['audit', ['order']],
      ['customer', ['order']],
      ['stock', ['order']],
    ],
  )
  assert.deepEqual([...value.backends.keys()].toSorted(), [
    'shop/customers:80',
    'shop/orders:80',
    'shop/stock:80',
  ])
})

test('what comes out can be executed by a data plane', () => {
  const { action } = compile(ORDER_PAGE).value
  const fault = checkValue('rule', {
    route: 'shop/r',
    name: 'a',
    matches: [],
    auth: { kind: 'open' },
    limits: [],
    rewrite: null,
    requestHeaders: null,
    responseHeaders: null,
    totalTimeoutMs: 1,
    action,
  })
  assert.equal(fault, null)
})

test('limits, deadline and errors have the documented defaults', () => {
  const { action } = compile({ calls: { a: call('/a') }, response: RESPONSE }).value
  assert.ok(action.kind === 'aggregate')
  assert.equal(action.deadlineMs, 10_000)
  assert.equal(action.callsMax, 50)
  assert.equal(action.concurrencyMax, 12)
  assert.equal(action.totalBytesMax, 8 * 1024 * 1024)
  assert.deepEqual(action.errors, { field: '_errors', detail: 'summary' })
  assert.equal(action.response.status, null)
})

test('a fixed status is a template without holes', () => {
  const { action } = compile({
    calls: { a: call('/a') },
    response: { status: 201, body: {} },
  }).value
  assert.ok(action.kind === 'aggregate')
  assert.deepEqual(action.response.status, ['201'])
})

test('a cycle is refused and every call of it is named', () => {
  const text = sentences({
    calls: {
      a: call('/${calls.c.body.x}'),
      b: call('/b', { after: ['a'] }),
      c: call('/c', { when: 'calls.b.ok' }),
    },
    response: RESPONSE,
  })
  assert.match(text, /aggregate\.calls\.a: .* a → c → b → a\. Remove one/)
  const self = sentences({ calls: { a: call('/${calls.a.body.x}') }, response: RESPONSE })
  assert.match(self, /refers to its own answer/)
})

test('an unknown call is refused with the one that was meant', () => {
  const text = sentences({
    calls: { order: call('/o'), next: call('/n', { after: ['ordr'] }) },
    response: { body: { x: '${calls.oder.body}' } },
  })
  assert.match(text, /after\[0\]: There is no call "ordr"; did you mean order\?$/m)
  assert.match(text, /response\.body\.x: .*order/)
})

test('more than one call that may change something must be acknowledged', () => {
  const calls = {
    a: call('/a', { method: 'POST' }),
    b: call('/b', { method: 'DELETE' }),
    c: call('/c'),
  }
  assert.match(sentences({ calls, response: RESPONSE }), /\(a, b\).*acknowledge: \[unsafeCalls\]/)
  assert.deepEqual(
    compile({ calls, response: RESPONSE, acknowledge: ['unsafeCalls'] }).problems,
    [],
  )
  const many = call('/${x}', {
    method: 'PUT',
    forEach: { in: 'request.queryAll.id', as: 'x', max: 5 },
  })
  assert.match(sentences({ calls: { many }, response: RESPONSE }), /\(many\)/)
})

test('one request cannot cause more calls than the aggregate allows', () => {
  const each = (max: number): AggregateSpec => ({
    calls: { a: call('/${x}', { forEach: { in: 'request.queryAll.id', as: 'x', max } }) },
    response: RESPONSE,
  })
  assert.deepEqual(compile(each(50)).problems, [])
  assert.match(sentences(each(51)), /forEach\.max: More items than the 50 calls/)
  const two = { calls: { a: call('/a'), b: call('/b') }, response: RESPONSE }
  assert.match(sentences({ ...two, limits: { calls: 1 } }), /limits\.calls: There are 2 calls/)
})

test('a size or a time that makes no sense is refused', () => {
  const calls = { a: call('/a') }
  const text = sentences({
    calls,
    deadline: '0s',
    limits: { totalBytes: '2Gi' },
    response: RESPONSE,
  })
  assert.match(text, /aggregate\.deadline: .*\n.*limits\.totalBytes: /)
})

test('the field that lists failures belongs to the gateway', () => {
  const spec = { calls: { a: call('/a') }, response: { body: { _errors: 'mine' } } }
  assert.match(sentences(spec), /"_errors" lists the calls that failed/)
  assert.deepEqual(compile({ ...spec, errors: { detail: 'none' } }).problems, [])
  assert.deepEqual(compile({ ...spec, errors: { field: 'failed' } }).problems, [])
})

test('a call whose Service is missing rejects alone', () => {
  const { value, problems } = compile({
    calls: { a: { backend: backend('gone'), path: '/a' }, b: call('/b') },
    response: RESPONSE,
  })
  assert.equal(problems[0]?.path, 'spec.rules[0].aggregate.calls.a.backend.service.name')
  assert.ok(value.action.kind === 'aggregate')
  assert.deepEqual(
    value.action.calls.map((one) => one.backend.kind),
    ['reject', 'backend'],
  )
})
