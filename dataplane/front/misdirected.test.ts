/**
 * Proves which hosts a connection may carry; over real ones in tls.test.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tlsHosts, type TlsHost } from '../runtime/tls-hosts.ts'
import { misdirected, PLAIN } from './misdirected.ts'

test('a host of another certificate gets 421, one of the same is served', () => {
  const host = (set: string): TlsHost => ({ set, http: 'serve', certificates: [] })
  const tls = tlsHosts(
    new Map([
      ['a', host('one')],
      ['b', host('one')],
      ['c', host('two')],
    ]),
  )
  const arrival = { scheme: 'https', set: 'one' } as const
  assert.equal(misdirected(arrival, 'a', tls), null)
  assert.equal(misdirected(arrival, 'b', tls), null)
  for (const name of ['c', 'unknown']) assert.equal(misdirected(arrival, name, tls)?.status, 421)
  assert.equal(misdirected(arrival, 'a', null)?.status, 421, 'the host has lost its certificate')
  assert.equal(misdirected(PLAIN, 'c', tls), null)
})
