/**
 * What a rule asks for besides its answer.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RouteRule } from '../../crds/api-route.ts'
import { CompressionSchema } from '../../crds/traffic.ts'
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

test('compression has its documented defaults', () => {
  const rule = { name: 'a', match: [{ path: '/a' }], compression: {} }
  const { compression } = compileTraffic(rule, AT, WITHIN).value.traffic
  const documented = JSON.stringify(CompressionSchema)
  assert.ok(compression !== undefined)
  for (const type of compression.types) assert.ok(documented.includes(type), type)
  assert.equal(compression.types.length, 5)
  assert.equal(compression.minBytes, 1024)
})
