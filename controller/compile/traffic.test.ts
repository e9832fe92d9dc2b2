/**
 * What a rule asks for besides its answer.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RouteRule } from '../../crds/api-route.ts'
import { FieldPath } from './problem.ts'
import { compileTraffic } from './traffic.ts'

test('what a rule does not ask for is not in its table', () => {
  const rule = { name: 'a', match: [{ path: '/a' }] }
  assert.deepEqual(compileTraffic(rule, new FieldPath<RouteRule>('r')), { value: {}, problems: [] })
})

test('a bound is counted in bytes', () => {
  const rule = { name: 'a', match: [{ path: '/a' }], body: { max: '10Ki' } }
  const { value } = compileTraffic(rule, new FieldPath<RouteRule>('r'))
  assert.deepEqual(value, { body: { bytesMax: 10_240 } })
})
