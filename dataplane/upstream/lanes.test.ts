/**
 * Proves which client carries what.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deadlines } from './deadlines.ts'
import { now } from './fake/outgoing.ts'
import { Http1Lane } from './http1-lane.ts'
import { Http2Lane } from './http2-lane.ts'
import { Lanes } from './lanes.ts'
import { Library } from '../runtime/library.ts'
import { UNDICI } from './fake/options.ts'
import { UndiciLane } from './pool.ts'

test('HTTP/1.1 and HTTP/2 go over connections of our own', async () => {
  const lanes = new Lanes({ now, deadlines: new Deadlines(now), undici: UNDICI })
  const endpoint = { address: '127.0.0.1', port: 1, zone: null }
  assert.ok(lanes.to(endpoint, 'http') instanceof Http1Lane)
  const other = lanes.to(endpoint, 'h2c')
  assert.ok(other instanceof Http2Lane)
  await other.destroy()
})

test('what is only there to be compared with is loaded where it is asked for', async () => {
  const undici = new Library(() => Promise.resolve(UndiciLane))
  const own = new Lanes({ now, deadlines: new Deadlines(now), undici })
  await own.load('http')
  await own.load('h2c')
  assert.equal(undici.get(), null)
  const lanes = new Lanes({ now, deadlines: new Deadlines(now), undici, http1: 'undici' })
  const endpoint = { address: '127.0.0.1', port: 1, zone: null }
  assert.throws(() => lanes.to(endpoint, 'http'), /not loaded/)
  await lanes.load('http')
  const other = lanes.to(endpoint, 'http')
  assert.ok(other instanceof UndiciLane)
  await other.destroy()
})
