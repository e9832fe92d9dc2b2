/**
 * Inline keys, with real ones made here.
 */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { checkJwk } from './jwk.ts'

type Jwk = { readonly [member: string]: unknown }

function rsa(bits: number): { publicKey: Jwk; privateKey: Jwk } {
  const pair = generateKeyPairSync('rsa', { modulusLength: bits })
  return {
    publicKey: { ...pair.publicKey.export({ format: 'jwk' }) },
    privateKey: { ...pair.privateKey.export({ format: 'jwk' }) },
  }
}

function ec(namedCurve: string): { publicKey: Jwk; privateKey: Jwk } {
  const pair = generateKeyPairSync('ec', { namedCurve })
  return {
    publicKey: { ...pair.publicKey.export({ format: 'jwk' }) },
    privateKey: { ...pair.privateKey.export({ format: 'jwk' }) },
  }
}

function ed(): { publicKey: Jwk; privateKey: Jwk } {
  const pair = generateKeyPairSync('ed25519')
  return {
    publicKey: { ...pair.publicKey.export({ format: 'jwk' }) },
    privateKey: { ...pair.privateKey.export({ format: 'jwk' }) },
  }
}

function member(jwk: Jwk): string | null {
  const checked = checkJwk(jwk)
  assert.equal(checked.kind, 'refused')
  if (checked.kind !== 'refused') return null
  assert.notEqual(checked.because, '')
  return checked.member
}

const RSA = rsa(2048)
const P256 = ec('P-256')
const ED = ed()

test('public keys of every supported type are accepted with the algorithms they verify', () => {
  const cases: readonly (readonly [Jwk, readonly string[]])[] = [
    [RSA.publicKey, ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
    [P256.publicKey, ['ES256']],
    [ec('P-384').publicKey, ['ES384']],
    [ec('P-521').publicKey, ['ES512']],
    [ED.publicKey, ['EdDSA']],
    [{ ...RSA.publicKey, alg: 'PS256', use: 'sig', kid: 'a' }, ['PS256']],
    [
      { ...RSA.publicKey, key_ops: ['verify'] },
      ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
    ],
  ]
  for (const [jwk, algorithms] of cases) {
    const checked = checkJwk(jwk)
    assert.deepEqual(checked.kind === 'key' ? checked.key.algorithms : checked, algorithms)
  }
})

test('a key with a private part is refused by the member to remove', () => {
  for (const { privateKey } of [RSA, P256, ED]) {
    const checked = checkJwk(privateKey)
    assert.ok(checked.kind === 'refused')
    assert.equal(checked.member, 'd')
    assert.match(checked.because, /remove "d"/)
  }
})

test('a symmetric key is refused', () => {
  assert.equal(member({ kty: 'oct', k: 'AAAA' }), 'kty')
})

test('a key that is too short, misshapen or for something else is refused', () => {
  assert.equal(member(rsa(1024).publicKey), 'n')
  assert.equal(member({ ...RSA.publicKey, n: 'a+b/' }), 'n')
  assert.equal(member({ ...RSA.publicKey, e: 7 }), 'e')
  assert.equal(member({ ...P256.publicKey, crv: 'secp256k1' }), 'crv')
  assert.equal(member({ ...P256.publicKey, x: 'AAAA' }), 'x')
  assert.equal(member({ ...P256.publicKey, y: undefined }), 'y')
  assert.equal(member({ ...ED.publicKey, crv: 'X25519' }), 'crv')
  assert.equal(member({ ...ED.publicKey, x: 'AAAA' }), 'x')
  assert.equal(member({ kty: 'rsa' }), 'kty')
  assert.equal(member({}), 'kty')
  assert.equal(member({ ...RSA.publicKey, alg: 'ES256' }), 'alg')
  assert.equal(member({ ...RSA.publicKey, alg: 'HS256' }), 'alg')
  assert.equal(member({ ...RSA.publicKey, use: 'enc' }), 'use')
  assert.equal(member({ ...RSA.publicKey, key_ops: ['sign'] }), 'key_ops')
  assert.equal(member({ ...RSA.publicKey, kid: 7 }), 'kid')
})
