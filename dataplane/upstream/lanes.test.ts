/**
 * Proves which client carries what.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deadlines } from './deadlines.ts'
import { now } from './fake/outgoing.ts'
import { Http1Lane } from './http1-lane.ts'
import { Lanes } from './lanes.ts'
import { Library } from '../runtime/library.ts'
import { UNDICI } from './fake/options.ts'
import { UndiciLane } from './pool.ts'

test('plain HTTP/1.1 goes over connections of our own', async () => {
  const lanes = new Lanes({ now, deadlines: new Deadlines(now), undici: UNDICI })
  const endpoint = { address: '127.0.0.1', port: 1, zone: null }
  assert.ok(lanes.to(endpoint, 'http') instanceof Http1Lane)
  const other = lanes.to(endpoint, 'h2c')
  assert.ok(other instanceof UndiciLane)
  await other.destroy()
})

test('what speaks another protocol is loaded before it has to', async () => {
  const undici = new Library(() => Promise.resolve(UndiciLane))
  const lanes = new Lanes({ now, deadlines: new Deadlines(now), undici })
  const endpoint = { address: '127.0.0.1', port: 1, zone: null }
  await lanes.load('http')
  assert.throws(() => lanes.to(endpoint, 'h2c'), /not loaded/)
  await lanes.load('h2c')
  const other = lanes.to(endpoint, 'h2c')
  assert.ok(other instanceof UndiciLane)
  await other.destroy()
})
