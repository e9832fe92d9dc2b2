/**
 * Promises of certificate-store.ts, as far as a folder shows them.
 */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, rm, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { SERVER_LIFE_MS } from './certificate.ts'
import { folderCertificates } from './certificate-store.ts'

test('a second start finds the same authority', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-certificates-'))
  t.after(() => rm(folder, { recursive: true }))
  const first = await folderCertificates(folder, ['localhost'], Date.now).current()
  assert.deepEqual(await folderCertificates(folder, ['localhost'], Date.now).current(), first)
  assert.equal((await stat(join(folder, 'wire-certificates.json'))).mode & 0o777, 0o600)

  const later = Date.now() + SERVER_LIFE_MS
  const renewed = await folderCertificates(folder, ['localhost'], () => later).current()
  assert.deepEqual(renewed.authorities[0], first.authorities[0])
  assert.notDeepEqual(renewed.server, first.server)
  const server = new X509Certificate(renewed.server.cert)
  assert.ok(server.verify(new X509Certificate(renewed.authorities[0]?.cert ?? '').publicKey))
})

test('a torn file makes way for new certificates', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-certificates-'))
  t.after(() => rm(folder, { recursive: true }))
  const first = await folderCertificates(folder, ['localhost'], Date.now).current()
  await truncate(join(folder, 'wire-certificates.json'), 100)
  assert.notDeepEqual(await folderCertificates(folder, ['localhost'], Date.now).current(), first)
})
