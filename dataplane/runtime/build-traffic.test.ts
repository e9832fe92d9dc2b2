/**
 * What rules ask for besides their answers.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTraffic } from './build-traffic.ts'

test('what a rule does not use is null', () => {
  for (const value of Object.values(buildTraffic({}))) assert.equal(value, null)
  assert.equal(buildTraffic({ body: { bytesMax: 0 } }).bodyBytesMax, 0)
})
