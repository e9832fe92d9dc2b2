/**
 * Proves what is refused of a pair, with real certificates.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { certificateFor } from '../../test/fake/certificate.ts'
import { readCertificate } from './read-certificate.ts'

test('what no client could be shown is refused with its reason', async () => {
  const [good, other] = [
    await certificateFor(['A.test', '*.b.test']),
    await certificateFor(['c.test']),
  ]
  const old = await certificateFor(['a.test'], { days: -1 })
  const now = Date.now()
  assert.deepEqual(readCertificate(good.cert, Buffer.from(good.key), now), {
    kind: 'read',
    chain: good.cert,
    names: ['a.test', '*.b.test'],
  })
  for (const [chain, key, because] of [
    ['no PEM', good.key, /^tls\.crt is no certificate/],
    [good.cert, 'no PEM', /^tls\.key is no private key/],
    [good.cert, other.key, /^tls\.key does not belong/],
    [old.cert, old.key, /^The certificate expired on /],
    [good.cert.repeat(200), good.key, /^tls\.crt is longer/],
  ] as const) {
    const read = readCertificate(chain, Buffer.from(key), now)
    assert.equal(read.kind, 'refused')
    assert.match(read.kind === 'refused' ? read.because : '', because)
  }
})
