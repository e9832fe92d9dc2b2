/**
 * Single calls of aggregates.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallSpec } from '../../crds/aggregate.ts'
import type { Call } from '#wire/aggregate'
import { compileCall } from './aggregate-call.ts'
import { service, world } from './fake/world.ts'
import { FieldPath } from './problem.ts'

const AT = new FieldPath<CallSpec>('calls.x')
const BASE = { backend: { service: { name: 'orders', port: 80 } }, path: '/x' }
const NAMES = ['a', 'b', 'c', 'd', 'e', 'list', 'x']

function compile(spec: Partial<CallSpec>): ReturnType<typeof compileCall> {
  return compileCall({ ...BASE, ...spec }, AT, {
    ...world([service('orders', [{ port: 80 }])]),
    name: 'x',
    names: NAMES,
    expressions: { place: 'aggregate', calls: NAMES, forEachCalls: ['list'] },
    concurrencyMax: 12,
    callsMax: 50,
  })
}

function compiled(spec: Partial<CallSpec>): Call {
  const { value, problems } = compile(spec)
  assert.deepEqual(problems, [])
  assert.ok(value.call !== null)
  return value.call
}

function paths(spec: Partial<CallSpec>): readonly string[] {
  return compile(spec).problems.map(({ path }) => path.replace('calls.x.', ''))
}

test('a plain call is a GET for which every 2xx is a success and nothing stands in', () => {
  assert.deepEqual(compiled({}), {
    name: 'x',
    dependsOn: [],
    when: null,
    forEach: null,
    backend: { kind: 'backend', backend: 'shop/orders:80' },
    method: 'GET',
    path: { segments: [['x']], query: [] },
    headers: { forward: ['trace'], set: [] },
    body: null,
    timeoutMs: null,
    expect: { statuses: [{ from: 200, to: 299 }], contentType: null },
    fallback: null,
  })
})

test('a call depends on every call that its expressions name', () => {
  const call = compiled({
    method: 'POST',
    when: 'calls.a.ok',
    path: '/${calls.b.body.id}',
    headers: { set: [{ name: 'x-c', value: '${calls.c.body.v}' }] },
    body: { deep: ['${calls.d.body}'] },
    after: ['e', 'a'],
    forEach: { in: 'calls.list', as: 'item', key: 'item.body.id', max: 5 },
  })
  assert.deepEqual(call.dependsOn, ['a', 'b', 'c', 'd', 'e', 'list'])
})

test('the item of a forEach is known where expressions are evaluated for each item', () => {
  const call = compiled({
    method: 'POST',
    forEach: { in: 'calls.a.body', as: 'line', key: 'line.sku', max: 5 },
    path: '/${line.sku}',
    headers: { set: [{ name: 'x-sku', value: '${line.sku}' }] },
    body: '${line}',
  })
  assert.deepEqual(call.forEach, {
    in: 'calls.a.body',
    as: 'line',
    key: 'line.sku',
    max: 5,
    concurrency: 12,
    overflow: 'fail',
    onItemError: 'fail',
  })
  const forEach = { in: 'line', as: 'line', max: 5 }
  assert.deepEqual(paths({ forEach, when: 'line.ok' }), ['when', 'forEach.in'])
})

test('what stands in for an answer is a body, or nothing', () => {
  assert.deepEqual(compiled({ fallback: { none: true } }).fallback, { kind: 'none' })
  const value = { left: 0, list: [null] }
  assert.deepEqual(compiled({ fallback: { value } }).fallback, { kind: 'value', value })
  assert.deepEqual(paths({ fallback: { value: 'x'.repeat(70_000) } }), ['fallback.value'])
  const warned = compile({ fallback: { value: '${calls.a.body}' } }).problems
  assert.equal(warned[0]?.severity, 'warning')
})

test('onItemError fallback needs one', () => {
  const forEach = { in: 'calls.a.body', as: 'i', max: 5, onItemError: 'fallback' } as const
  assert.deepEqual(paths({ forEach }), ['forEach.onItemError'])
  assert.deepEqual(paths({ forEach, fallback: { none: true } }), [])
})

test('expected statuses are numbers, classes and ranges', () => {
  const expect = { status: ['2xx', 404, '200-204'], contentType: 'Application/JSON' }
  assert.deepEqual(compiled({ expect }).expect, {
    statuses: [
      { from: 200, to: 299 },
      { from: 404, to: 404 },
      { from: 200, to: 204 },
    ],
    contentType: 'application/json',
  })
  assert.deepEqual(paths({ expect: { status: ['2xx', '204-200'] } }), ['expect.status[1]'])
})

test('a safe call has no body', () => {
  assert.deepEqual(paths({ body: 'x' }), ['body'])
  assert.deepEqual(paths({ body: 'x', method: 'PATCH' }), [])
})

test('times, paths, headers and names are checked where they stand', () => {
  assert.deepEqual(paths({ timeout: '0ms' }), ['timeout'])
  assert.deepEqual(paths({ path: '/a?x=${request.}' }), ['path'])
  assert.deepEqual(paths({ headers: { set: [{ name: 'host', value: 'a' }] } }), [
    'headers.set[0].name',
  ])
  assert.deepEqual(paths({ after: ['nobody'] }), ['after[0]'])
  assert.deepEqual(paths({ method: 'CONNECT' }), ['method'])
})
