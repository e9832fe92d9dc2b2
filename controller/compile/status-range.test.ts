/**
 * Expected statuses.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { statusRange } from './status-range.ts'

test('numbers, classes and ranges are read, everything else is not', () => {
  assert.deepEqual(statusRange(404), { from: 404, to: 404 })
  assert.deepEqual(statusRange('404'), { from: 404, to: 404 })
  assert.deepEqual(statusRange('2xx'), { from: 200, to: 299 })
  assert.deepEqual(statusRange('200-204'), { from: 200, to: 204 })
  for (const bad of ['', '20', '99', 99, 600, '6xx', '2xx-300', '204-200', '2XX', ' 200', 200.5]) {
    assert.equal(statusRange(bad), null, String(bad))
  }
})
