/**
 * Proves what trailers of requests may hold.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeExchange } from '../../../test/fake/exchange.ts'
import { clientHeaders } from '../../runtime/client-headers.ts'
import { requestTrailers } from './request-trailers.ts'

test('a trailer says nothing that a header could not have said', () => {
  const { exchange } = fakeExchange()
  exchange.strip = { headers: ['x-api-key'], cookies: [], queryParams: [] }
  const known = clientHeaders(new Set(['x-tenant']))
  const raw = ['X-Checksum', '1', 'x_consumer_id', 'me', 'X-Tenant', 'other', 'x-api-key', 'k']
  const more = ['Cookie', 'a=b', 'Forwarded', 'for=x', 'Content-Length', '3', 'Connection', 'x']
  assert.deepEqual(requestTrailers([...raw, ...more], exchange, known), ['X-Checksum', '1'])
  assert.equal(requestTrailers(more, exchange, known), null)
  assert.equal(requestTrailers(null, exchange, known), null)
})
