/**
 * What clients learn of their limits.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pushRateLimit } from './rate-limit-headers.ts'

test('each limit is a member of both headers', () => {
  const headers: string[] = []
  pushRateLimit(headers, {
    held: [],
    observed: [],
    standings: [
      { name: 'per-partner', count: 60, periodS: 60, remaining: 12, resetS: 48 },
      { name: 'whole-api', count: 5000, periodS: 1, remaining: 0, resetS: 1 },
    ],
  })
  assert.deepEqual(headers, [
    'ratelimit-policy',
    '"per-partner";q=60;w=60, "whole-api";q=5000;w=1',
    'ratelimit',
    '"per-partner";r=12;t=48, "whole-api";r=0;t=1',
  ])
})

test('without limits nothing is said', () => {
  const headers: string[] = []
  pushRateLimit(headers, null)
  pushRateLimit(headers, { held: [1], observed: [], standings: [] })
  assert.deepEqual(headers, [])
})
