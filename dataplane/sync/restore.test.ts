/**
 * Promises of restore.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tableObject } from '../../test/wire/samples.ts'
import { ENDPOINTS_AGE_MS_MAX } from '#wire/limits'
import type { Endpoint } from '#wire/session'
import { endpointsAtStart } from './restore.ts'

const NOW_MS = 1_900_000_000_000
const POD: readonly Endpoint[] = [{ address: '10.0.0.1', port: 8080, zone: 'a' }]
const SERVICE: readonly Endpoint[] = [{ address: '10.96.0.7', port: 80, zone: null }]

function backend(key: string, clusterAddress: string | null) {
  return tableObject('backend', key, { protocol: 'http', clusterAddress })
}

function startingWith(
  address: string | null,
  ageMs: number | null,
): readonly Endpoint[] | undefined {
  const sets = [{ backend: 'a/b:80', version: 7, endpoints: POD }]
  const stored = ageMs === null ? null : { atMs: NOW_MS - ageMs, sets }
  return endpointsAtStart([backend('a/b:80', address)], stored, NOW_MS)[0]?.endpoints
}

test('young endpoints are used as they are', () => {
  assert.deepEqual(startingWith('10.96.0.7:80', 0), POD)
  assert.deepEqual(startingWith('10.96.0.7:80', ENDPOINTS_AGE_MS_MAX), POD)
})

test("old endpoints give way to the Service's address", () => {
  assert.deepEqual(startingWith('10.96.0.7:80', ENDPOINTS_AGE_MS_MAX + 1), SERVICE)
  assert.deepEqual(startingWith('10.96.0.7:80', -ENDPOINTS_AGE_MS_MAX - 1), SERVICE)
  assert.deepEqual(startingWith('10.96.0.7:80', null), SERVICE)
})

test('where a Service has no address of its own, old endpoints are better than none', () => {
  assert.deepEqual(startingWith(null, ENDPOINTS_AGE_MS_MAX + 1), POD)
  assert.deepEqual(startingWith(null, null), [])
})

test('an IPv6 address loses its brackets', () => {
  assert.deepEqual(startingWith('[fd00::7]:80', null), [
    { address: 'fd00::7', port: 80, zone: null },
  ])
})

test('every backend of the table has a set, and nothing else has', () => {
  const stored = {
    atMs: NOW_MS,
    sets: [{ backend: 'a/gone:80', version: 1, endpoints: POD }],
  }
  const sets = endpointsAtStart([backend('a/x:80', null), backend('a/y:80', null)], stored, NOW_MS)
  assert.deepEqual(
    sets.map((set) => [set.backend, set.endpoints.length]),
    [
      ['a/x:80', 0],
      ['a/y:80', 0],
    ],
  )
})
