/**
 * Proves keys-fetch.ts.
 */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, beforeEach, test } from 'node:test'
import { Egress } from '../egress.ts'
import { newKey } from '../phases/authenticate/fake/issuer.ts'
import { IssuerServer } from './fake/issuer-server.ts'
import { fetchKeys } from './keys-fetch.ts'
import type { KeySource } from './keys-message.ts'

const server = await IssuerServer.start()
after(() => server.stop())
const egress = new Egress({ loopback: 'allow', ownPorts: () => [] })
const key = await newKey('ES256', 'k1')

beforeEach(() => {
  server.mood = 'well'
  server.discovery = {}
  server.keys = [key.jwk]
  server.asked.length = 0
})

async function said(source: KeySource = { kind: 'discovery', issuer: server.url }) {
  const fetched = await fetchKeys(source, egress, 300)
  return fetched.kind === 'keys' ? fetched.keys.map(({ kid }) => kid ?? '').join() : fetched.because
}

test('an issuer is asked for its document, and then for its keys', async () => {
  assert.equal(await said(), 'k1')
  assert.deepEqual(server.asked, ['/.well-known/openid-configuration', '/keys'])
  assert.equal(await said({ kind: 'jwksUri', uri: `${server.url}/my-keys` }), 'k1')
  assert.equal(server.asked.at(-1), '/my-keys')
})

test('a path of the issuer stays, and its last slash is not doubled', async () => {
  const issuer = `${server.url}/realms/shop/`
  server.discovery = { issuer }
  assert.equal(await said({ kind: 'discovery', issuer }), 'k1')
  assert.equal(server.asked[0], '/realms/shop/.well-known/openid-configuration')
})

test("a Service of the policy's own namespace is called at its address, by name or discovered", async () => {
  const { port } = new URL(server.url)
  const issuer = `http://id.shop:${port}`
  server.discovery = { issuer, jwks_uri: `${issuer}/keys` }
  const service = { kind: 'service', issuer, addresses: ['127.0.0.1'] } as const
  assert.equal(await said({ ...service, uri: null }), 'k1')
  assert.equal(await said({ ...service, uri: `${issuer}/keys` }), 'k1')
  server.discovery = { issuer, jwks_uri: 'http://id.elsewhere.invalid/keys' }
  assert.match(await said({ ...service, uri: null }), /without address/)
})

test('a discovery document of another issuer is refused', async () => {
  for (const issuer of [`${server.url}/`, 'https://evil.example', null, [server.url]]) {
    server.discovery = { issuer }
    assert.match(await said(), /of another issuer/)
  }
  assert.ok(!server.asked.includes('/keys'))
})

test('a discovery document leads nowhere where no URL of a policy may', async () => {
  server.discovery = { jwks_uri: 'http://169.254.169.254/latest/meta-data' }
  assert.match(await said(), /never called/)
  server.discovery = { jwks_uri: 7 }
  assert.match(await said(), /no jwks_uri/)
  server.discovery = { jwks_uri: 'file:///etc/passwd' }
  assert.match(await said(), /not an http or https URL/)
})

test('keys that cannot verify are left out; a set of nothing else is no set', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
  server.keys = [
    { kty: 'oct', k: 'c2VjcmV0', kid: 'hmac' },
    { ...weak.export({ format: 'jwk' }), kid: 'weak' },
    { ...key.jwk, kid: 'enc', use: 'enc' },
    'text',
    null,
    key.jwk,
    { ...privateKey.export({ format: 'jwk' }), kid: 'leaked' },
  ]
  const fetched = await fetchKeys({ kind: 'jwksUri', uri: server.url }, egress, 300)
  assert.ok(fetched.kind === 'keys')
  assert.deepEqual(
    fetched.keys.map(({ kid }) => kid),
    ['k1', 'leaked'],
  )
  assert.ok(fetched.keys.every((one) => !('d' in one)))
  for (const keys of [[], [{ kty: 'oct' }], {}, 'keys']) {
    server.keys = keys
    assert.match(await said(), /key set has no/)
  }
  server.keys = Array.from({ length: 101 }, () => key.jwk)
  assert.match(await said(), /more than 100/)
})

test('an answer that is no JSON object is told without its words', async () => {
  server.mood = 'broken'
  const reason = await said()
  assert.match(reason, /not a JSON object/)
  assert.doesNotMatch(reason, /secret/)
})
