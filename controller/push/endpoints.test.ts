/**
 * Promises of endpoints.ts, with random changes of slices.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { reads } from '../../test/wire/world.ts'
import type { EndpointSet } from '#wire/session'
import { endpointsOf } from '../compile/endpoints.ts'
import { createEndpointLane } from './endpoints.ts'
import type { EndpointLane } from './endpoints.ts'

const KEYS = ['a/x:80', 'a/y:80', 'b/x:80'] as const
const states = fc.dictionary(
  fc.constantFrom(...KEYS),
  fc.subarray(['10.0.0.1', '10.0.0.2', '10.0.0.3']),
)

test("a backend's version grows exactly when its endpoints change", () => {
  fc.assert(
    fc.property(fc.array(states, { minLength: 1, maxLength: 8 }), (history) => {
      const lane = createEndpointLane(() => null)
      lane.want(KEYS)
      let before = setsOf(lane)
      for (const state of history) {
        const now = reads(state)
        const changed = new Set(lane.update(now))
        const after = setsOf(lane)
        for (const [i, { backend, version, endpoints }] of after.entries()) {
          const last = before[i]
          assert.deepEqual(endpoints, endpointsOf(backend, now))
          const differs = JSON.stringify(endpoints) !== JSON.stringify(last?.endpoints)
          assert.equal(changed.has(backend), differs)
          assert.equal(version > (last?.version ?? version), differs)
        }
        before = after
      }
    }),
  )
})

function setsOf(lane: EndpointLane): readonly EndpointSet[] {
  return KEYS.flatMap((key) => lane.get(key)?.set ?? [])
}

test('endpoints are known as soon as a table names the backend', () => {
  const lane = createEndpointLane(() => null)
  assert.deepEqual(lane.update(reads({ 'a/x:80': ['10.0.0.1'] })), [])
  assert.equal(lane.get('a/x:80'), undefined)
  lane.want(['a/x:80', 'a/none:80'])
  assert.equal(lane.get('a/x:80')?.set.endpoints.length, 1)
  assert.deepEqual(lane.get('a/none:80')?.set.endpoints, [])
})

test('a namespace in which nothing changed is not looked at again', () => {
  const lane = createEndpointLane(() => null)
  const first = reads({ 'a/x:80': ['10.0.0.1'] })
  lane.update(first)
  lane.want(['a/x:80'])
  const poisoned = new Proxy(first.kinds.Service, {
    get: () => assert.fail('it was read'),
  })
  assert.deepEqual(lane.update({ kinds: { ...first.kinds } }), [])
  assert.throws(() => lane.update({ kinds: { ...first.kinds, Service: poisoned } }))
})

test('a backend that comes back never gets a version twice', () => {
  const lane = createEndpointLane(() => null)
  lane.update(reads({ 'a/x:80': ['10.0.0.1'] }))
  lane.want(['a/x:80'])
  const first = lane.get('a/x:80')?.set.version ?? 0
  lane.forget(['a/x:80'])
  assert.equal(lane.get('a/x:80'), undefined)
  lane.want(['a/x:80'])
  assert.ok((lane.get('a/x:80')?.set.version ?? 0) > first)
})

test('a stand-in serves where a backend has no endpoints, and gives way to real ones', () => {
  const sample = [{ address: '127.0.0.1', port: 4000, zone: null }]
  const lane = createEndpointLane((key) => (key === 'a/x:80' ? sample : null))
  lane.want(['a/x:80', 'a/y:80'])
  assert.deepEqual(lane.get('a/x:80')?.set.endpoints, sample)
  assert.deepEqual(lane.get('a/y:80')?.set.endpoints, [])
  lane.update(reads({ 'a/x:80': ['10.0.0.1'] }))
  assert.equal(lane.get('a/x:80')?.set.endpoints[0]?.address, '10.0.0.1')
})
