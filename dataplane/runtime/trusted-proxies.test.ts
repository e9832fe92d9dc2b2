/**
 * Whose word on where a request came from is believed.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { trustedProxies } from './trusted-proxies.ts'

test('only addresses of the ranges are trusted', () => {
  const ranges = trustedProxies(['10.0.0.0/8', '2001:db8::/32', '192.0.2.7'])
  assert(ranges.kind === 'ranges' && ranges.trusted !== null)
  const { trusted } = ranges
  for (const address of ['10.1.2.3', '2001:db8::1', '192.0.2.7', '::ffff:10.0.0.1', '10.1.2.3']) {
    assert.equal(trusted.trust(address), 'trusted', address)
  }
  for (const address of ['11.0.0.1', '2001:db9::1', '192.0.2.8', '', 'nonsense']) {
    assert.equal(trusted.trust(address), 'untrusted', address)
  }
  for (let i = 0; i < 3_000; i++) trusted.trust(`198.51.${i % 256}.${Math.floor(i / 256)}`)
  assert.equal(trusted.trust('10.1.2.3'), 'trusted')
})

test('without ranges nobody is asked, and a range that is none is refused', () => {
  assert.deepEqual(trustedProxies([]), { kind: 'ranges', trusted: null })
  assert.equal(trustedProxies(['10.0.0.0/33']).kind, 'refused')
})
