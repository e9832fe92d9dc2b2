/**
 * Proves which client carries what.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deadlines } from './deadlines.ts'
import { now } from './fake/outgoing.ts'
import { Http1Lane } from './http1-lane.ts'
import { Lanes } from './lanes.ts'
import { UndiciLane } from './pool.ts'

test('plain HTTP/1.1 goes over connections of our own', async () => {
  const lanes = new Lanes({ now, deadlines: new Deadlines(now) })
  const endpoint = { address: '127.0.0.1', port: 1, zone: null }
  assert.ok(lanes.to(endpoint, 'http') instanceof Http1Lane)
  const other = lanes.to(endpoint, 'h2c')
  assert.ok(other instanceof UndiciLane)
  await other.destroy()
})
