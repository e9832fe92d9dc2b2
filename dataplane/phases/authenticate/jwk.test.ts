/**
 * Proves jwk.ts.
 */
import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import type { PublicJwk } from '../../sync/keys-message.ts'
import { publicJwk, type Unusable, type VerifyKey, verifyKey } from './jwk.ts'

function rsa(bits: number, publicExponent = 65_537): object {
  return publicOf(generateKeyPairSync('rsa', { modulusLength: bits, publicExponent }).publicKey)
}
function ec(namedCurve: string): object {
  return publicOf(generateKeyPairSync('ec', { namedCurve }).publicKey)
}
function publicOf(key: KeyObject): object {
  return key.export({ format: 'jwk' })
}

const RSA_2048 = rsa(2048)
const ED25519 = publicOf(generateKeyPairSync('ed25519').publicKey)

function made(value: unknown): VerifyKey | Unusable {
  const jwk = publicJwk(value)
  return 'because' in jwk ? jwk : verifyKey(jwk)
}

test('a key verifies only with the algorithms of its own type and size', () => {
  const algorithms = (value: unknown): readonly string[] => {
    const key = made(value)
    return 'because' in key ? [key.because] : key.algorithms
  }
  assert.deepEqual(algorithms(RSA_2048), ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'])
  assert.deepEqual(algorithms(ec('P-256')), ['ES256'])
  assert.deepEqual(algorithms(ec('P-384')), ['ES384'])
  assert.deepEqual(algorithms(ec('P-521')), ['ES512'])
  assert.deepEqual(algorithms(ED25519), ['EdDSA'])
  assert.deepEqual(algorithms({ ...RSA_2048, alg: 'PS256' }), ['PS256'])
})

const point = ec('P-256')
const REFUSED: readonly (readonly [string, unknown])[] = [
  ['a short RSA key', rsa(1024)],
  ['an RSA key with exponent 3 written as 1', { ...RSA_2048, e: 'AQ' }],
  ['an RSA key with an even exponent', { ...RSA_2048, e: 'AAAC' }],
  ['an RSA key with an endless exponent', { ...RSA_2048, e: Reflect.get(RSA_2048, 'n') }],
  [
    'an RSA modulus of 16384 bits',
    { ...RSA_2048, n: Buffer.alloc(2048, 0xff).toString('base64url') },
  ],
  ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0' }],
  ['a key of no type', { n: 'AQAB', e: 'AQAB' }],
  ['a key for encryption', { ...RSA_2048, use: 'enc' }],
  ['a key for signing only', { ...RSA_2048, key_ops: ['sign'] }],
  ['an EC key with the algorithm of another curve', { ...point, alg: 'ES384' }],
  ['an RSA key that says HS256', { ...RSA_2048, alg: 'HS256' }],
  ['a point that is not on its curve', { ...point, y: Reflect.get(point, 'x') }],
  ['a curve of Bitcoin', ec('secp256k1')],
  ['an Ed448 key', publicOf(generateKeyPairSync('ed448').publicKey)],
  ['an X25519 key', publicOf(generateKeyPairSync('x25519').publicKey)],
  ['an EC key that calls itself OKP', { ...point, kty: 'OKP' }],
  ['a kid that is a number', { ...RSA_2048, kid: 7 }],
  ['a member that is an object', { ...RSA_2048, n: {} }],
  ['null', null],
  ['a text', 'key'],
]

for (const [what, value] of REFUSED) {
  test(`it refuses ${what}`, () => {
    const key = made(value)
    assert.ok('because' in key, what)
    assert.ok(!key.because.includes(String(Reflect.get(RSA_2048, 'n')).slice(0, 8)))
  })
}

test('of a private key only the public members go on', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = publicJwk({
    ...privateKey.export({ format: 'jwk' }),
    x5c: ['…'],
    x5u: 'https://evil',
  })
  assert.deepEqual(Object.keys(jwk).toSorted(), ['crv', 'kty', 'x', 'y'])
})

test('a key without kid has none', () => {
  const jwk: PublicJwk = { kty: 'OKP', crv: 'Ed25519', x: String(Reflect.get(ED25519, 'x')) }
  const key = verifyKey(jwk)
  assert.ok(!('because' in key))
  assert.equal(key.kid, null)
})
