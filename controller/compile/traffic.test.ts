/**
 * What a rule asks for besides its answer.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RouteRule } from '../../crds/api-route.ts'
import { FieldPath } from './problem.ts'
import { compileTraffic } from './traffic.ts'
import { world } from './fake/world.ts'

const AT = new FieldPath<RouteRule>('r')
const WITHIN = world()

test('what a rule does not ask for is not in its table', () => {
  const rule = { name: 'a', match: [{ path: '/a' }] }
  assert.deepEqual(compileTraffic(rule, AT, WITHIN).value.traffic, {})
})

test('a bound is counted in bytes', () => {
  const rule = { name: 'a', match: [{ path: '/a' }], body: { max: '10Ki' } }
  const { value } = compileTraffic(rule, AT, WITHIN)
  assert.deepEqual(value.traffic, { body: { bytesMax: 10_240 } })
})
