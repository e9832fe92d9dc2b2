/**
 * Promises of certificate.ts, over ten years of renewals and by Node's own TLS.
 */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { connect, createServer } from 'node:tls'
import { test } from 'node:test'
import { SPREAD_MS, createCertificates, renew, trustOf } from './certificate.ts'
import type { Certificates } from './certificate.ts'

const NAMES = ['fairlead-controller.fairlead-system.svc', '127.0.0.1']
const START_MS = Date.UTC(2026, 0, 1)
const DAY_MS = 24 * 3_600_000

test('a data plane that trusts the authority reaches the server by each of its names', async (t) => {
  const certificates = await createCertificates(NAMES, Date.now())
  const server = createServer({ ...certificates.server, minVersion: 'TLSv1.3' }, (socket) => {
    socket.on('error', () => undefined)
    socket.end('hello')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const reach = (ca: string, servername?: string) =>
    new Promise<string>((resolve) => {
      const name = servername === undefined ? {} : { servername }
      const socket = connect({ host: '127.0.0.1', port, ca, ...name })
      socket.on('error', (error) => resolve('code' in error ? String(error.code) : 'error'))
      socket.on('data', (data) => {
        resolve(String(data))
        socket.destroy()
      })
    })
  const trust = trustOf(certificates)
  assert.equal(await reach(trust), 'hello')
  assert.equal(await reach(trust, NAMES[0]), 'hello')
  assert.equal(await reach(trust, 'other.svc'), 'ERR_TLS_CERT_ALTNAME_INVALID')
  const foreign = trustOf(await createCertificates(NAMES, Date.now()))
  assert.notEqual(await reach(foreign), 'hello')
})

/** Authorities of which one has signed the server's certificate. */
function signers({ authorities, server }: Certificates): readonly string[] {
  const leaf = new X509Certificate(server.cert)
  return authorities
    .map(({ cert }) => cert)
    .filter((cert) => leaf.verify(new X509Certificate(cert).publicKey))
}

test('a renewal never leaves a data plane without an authority it trusts', async () => {
  let now = START_MS
  let certificates = await createCertificates(NAMES, now)
  /** What a slow data plane trusts: read up to two weeks ago. */
  let known: { readonly atMs: number; readonly trust: string }[] = []
  for (; now < START_MS + 10 * 365 * DAY_MS; now += 7 * DAY_MS) {
    certificates = await renew(certificates, NAMES, now)
    known = [
      ...known.filter(({ atMs }) => now - atMs < SPREAD_MS),
      { atMs: now, trust: trustOf(certificates) },
    ]
    const [signer] = signers(certificates)
    assert.ok(signer !== undefined, new Date(now).toISOString())
    for (const { trust } of known) assert.ok(trust.includes(signer), new Date(now).toISOString())
    for (const { cert } of [certificates.server, ...certificates.authorities]) {
      assert.ok(Date.parse(new X509Certificate(cert).validTo) - now > 7 * DAY_MS)
    }
    assert.ok(certificates.authorities.length <= 2)
  }
})

test('nothing is renewed before it is due', async () => {
  const certificates = await createCertificates(NAMES, START_MS)
  assert.equal(await renew(certificates, NAMES, START_MS + 30 * DAY_MS), certificates)
  const renewed = await renew(certificates, NAMES, START_MS + 61 * DAY_MS)
  assert.notEqual(renewed.server, certificates.server)
  assert.equal(renewed.authorities, certificates.authorities)
})

test('a server certificate is renewed when its names change', async () => {
  const certificates = await createCertificates(NAMES, START_MS)
  const renewed = await renew(certificates, [...NAMES, 'localhost'], START_MS)
  assert.match(new X509Certificate(renewed.server.cert).subjectAltName ?? '', /DNS:localhost/)
  assert.equal(renewed.authorities, certificates.authorities)
})

test('after a long absence everything is new', async () => {
  const certificates = await createCertificates(NAMES, START_MS)
  const now = START_MS + 20 * 365 * DAY_MS
  const renewed = await renew(certificates, NAMES, now)
  assert.equal(renewed.authorities.length, 1)
  assert.equal(signers(renewed).length, 1)
})
