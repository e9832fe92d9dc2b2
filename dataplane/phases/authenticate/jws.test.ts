/**
 * Proves jws.ts.
 */
import assert from 'node:assert/strict'
import { createHmac, createPublicKey } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { compactVerify, exportSPKI, importJWK } from 'jose'
import { JWT_ALGORITHMS } from '#wire/auth'
import { CLAIMS, newKey, rawToken, token } from './fake/issuer.ts'
import { type VerifyKey, verifyKey } from './jwk.ts'
import { decodeBase64Url, parseJws, TOKEN_CHARS_MAX, verifyJws } from './jws.ts'

const keys = await Promise.all(JWT_ALGORITHMS.map((alg) => newKey(alg, `kid-${alg}`)))
const [rs256 = await newKey('RS256', 'rs')] = keys
const es256 = keys.find(({ alg }) => alg === 'ES256') ?? (await newKey('ES256', 'es'))
const set: readonly VerifyKey[] = keys.flatMap(({ jwk }) => {
  const key = verifyKey(jwk)
  return 'because' in key ? [] : [key]
})

function verdict(text: string, trusted: readonly VerifyKey[] = set): string {
  const jws = parseJws(text)
  return jws.kind === 'malformed' ? jws.kind : verifyJws(jws, trusted)
}

async function joseAccepts(text: string): Promise<boolean> {
  for (const { jwk, alg } of keys) {
    try {
      await compactVerify(text, await importJWK({ ...jwk }, alg), { algorithms: [alg] })
      return true
    } catch {
      // another key, or none
    }
  }
  return false
}

for (const key of keys) {
  test(`a token signed with ${key.alg} is valid, and one changed bit of it is not`, async () => {
    const text = await token(key)
    assert.equal(verdict(text), 'valid')
    const [header = '', payload = '', signature = ''] = text.split('.')
    const forged = Buffer.from(signature, 'base64url')
    forged[0] = (forged[0] ?? 0) ^ 1
    assert.equal(verdict(`${header}.${payload}.${forged.toString('base64url')}`), 'forged')
    const other = Buffer.from(JSON.stringify({ ...CLAIMS, sub: 'u-2' })).toString('base64url')
    assert.equal(verdict(`${header}.${other}.${signature}`), 'forged')
  })
}

test('what it accepts, jose accepts, and nothing hostile passes', async () => {
  const tokens = await Promise.all(keys.map((key) => token(key)))
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...tokens),
      fc.nat(),
      fc.constantFrom('', 'A', '.', '=', '+', '/', ' ', '\n', 'é', '\u0000', '-'),
      fc.nat(3),
      async (text, at, put, removed) => {
        const from = at % (text.length + 1)
        const changed = text.slice(0, from) + put + text.slice(from + removed)
        const accepted = verdict(changed) === 'valid'
        if (changed === text) assert.ok(accepted)
        if (!accepted) return
        assert.equal(changed, text, 'a changed token was accepted')
        assert.ok(await joseAccepts(changed))
      },
    ),
    { numRuns: 500 },
  )
})

test('bytes at random are never a token', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
      assert.notEqual(verdict(text), 'valid')
    }),
  )
})

const PAYLOAD = JSON.stringify(CLAIMS)
const pem = await exportSPKI(await importJwkPublic())
async function importJwkPublic(): Promise<CryptoKey> {
  const key = await importJWK({ ...rs256.jwk }, 'RS256', { extractable: true })
  assert.ok(!(key instanceof Uint8Array))
  return key
}

function hmac(header: object, secret: string): string {
  const text = rawToken(JSON.stringify(header), PAYLOAD, '')
  const signed = text.slice(0, -1)
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

async function withHeader(header: Record<string, unknown>): Promise<string> {
  const honest = await token(rs256)
  return rawToken(
    JSON.stringify({ alg: 'RS256', kid: rs256.kid, ...header }),
    PAYLOAD,
    Buffer.from(honest.split('.')[2] ?? '', 'base64url'),
  )
}

const good = await token(rs256)
const [goodHeader = '', goodPayload = '', goodSignature = ''] = good.split('.')
const der = createPublicKey({ key: { ...rs256.jwk }, format: 'jwk' })
const attacker = await newKey('RS256', rs256.kid)

const HOSTILE: readonly (readonly [string, string | Promise<string>])[] = [
  ['alg none without a signature', rawToken('{"alg":"none"}', PAYLOAD, '')],
  ['alg None with a signature', rawToken('{"alg":"None"}', PAYLOAD, 'x'.repeat(256))],
  ['no alg at all', rawToken('{}', PAYLOAD, 'x')],
  ['an alg that is a list', rawToken('{"alg":["RS256"]}', PAYLOAD, 'x')],
  ['HS256 with the public key as secret (PEM)', hmac({ alg: 'HS256', kid: rs256.kid }, pem)],
  [
    'HS256 with the public key as secret (DER)',
    hmac({ alg: 'HS256' }, der.export({ type: 'spki', format: 'der' }).toString('latin1')),
  ],
  ['HS256 with an empty secret', hmac({ alg: 'HS256' }, '')],
  ['a key of another owner with the same kid', token(attacker)],
  ['a key of its own in the header', token(attacker, {}, { jwk: { ...attacker.jwk } })],
  ['a URL of keys in the header', token(attacker, {}, { jku: 'https://evil.example/keys' })],
  ['a certificate in the header', token(attacker, {}, { x5c: ['MIIB'], x5u: 'https://evil' })],
  ['the kid of an EC key on an RSA signature', withHeader({ kid: es256.kid })],
  ['an EC algorithm on an RSA signature', withHeader({ alg: 'ES256' })],
  ['another hash than was signed', withHeader({ alg: 'RS512' })],
  ['PSS said of a PKCS1 signature', withHeader({ alg: 'PS256' })],
  ['extensions that must be understood', withHeader({ crit: ['exp'], exp: 1 })],
  ['an empty list of extensions', withHeader({ crit: [] })],
  ['a payload that is not encoded', withHeader({ b64: false, crit: ['b64'] })],
  ['a payload that is not encoded, unsaid', withHeader({ b64: false })],
  ['a kid that is a number', withHeader({ kid: 7 })],
  ['a kid that is a list', withHeader({ kid: [rs256.kid] })],
  ['a token in a token', withHeader({ cty: 'JWT' })],
  ['an encrypted token', `${goodHeader}.a.b.c.d`],
  ['a logout token', token(rs256, {}, { typ: 'logout+jwt' })],
  ['a proof of possession', token(rs256, {}, { typ: 'application/DPoP+JWT' })],
  ['a use that ends like ours', token(rs256, {}, { typ: 'not-at+jwt' })],
  ['a type that is a list', signedRaw('{"alg":"RS256","typ":["JWT"]}', PAYLOAD)],
  ['four parts', `${good}.x`],
  ['two parts', `${goodHeader}.${goodPayload}`],
  ['no signature', `${goodHeader}.${goodPayload}.`],
  ['an empty text', ''],
  ['only points', '..'],
  ['padding', `${goodHeader}=.${goodPayload}.${goodSignature}`],
  ['a space at the end', `${good} `],
  ['a space at the front', ` ${good}`],
  ['a line break inside', `${goodHeader}.${goodPayload}.\n${goodSignature}`],
  ['the other alphabet of base64', good.replaceAll('-', '+').replaceAll('_', '/').concat('+')],
  ['stray bits at the end', `${goodHeader}.${goodPayload}.${strayBits(goodSignature)}`],
  ['alg twice', rawToken('{"alg":"RS256","alg":"none"}', PAYLOAD, 'x')],
  [
    'a claim twice, signed by the issuer itself',
    signedRaw(`{"alg":"RS256","kid":"${rs256.kid}"}`, '{"sub":"a","sub":"admin"}'),
  ],
  ['a payload that is a list', signedRaw('{"alg":"RS256"}', '[]')],
  ['a payload that is not JSON', signedRaw('{"alg":"RS256"}', 'sub=u-1')],
  ['more than 16 KiB', `${good}${'A'.repeat(TOKEN_CHARS_MAX)}`],
  [
    'a signature of zeroes (CVE-2022-21449)',
    rawToken('{"alg":"ES256"}', PAYLOAD, Buffer.alloc(64)),
  ],
  [
    'a signature in DER',
    rawToken('{"alg":"ES256"}', PAYLOAD, Buffer.from('3006020101020101', 'hex')),
  ],
]

function strayBits(text: string): string {
  const last = text.at(-1) ?? ''
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return `${text.slice(0, -1)}${alphabet[alphabet.indexOf(last) ^ 1] ?? ''}`
}

async function signedRaw(header: string, payload: string): Promise<string> {
  const signed = rawToken(header, payload, '').slice(0, -1)
  const { sign } = await import('node:crypto')
  const { KeyObject } = await import('node:crypto')
  const key = KeyObject.from(rs256.privateKey)
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`
}

for (const [what, hostile] of HOSTILE) {
  test(`it refuses ${what}`, async () => {
    assert.notEqual(verdict(await hostile), 'valid')
  })
}

test('what stands in the header beside the key name changes nothing for an honest token', async () => {
  for (const typ of ['at+jwt', 'application/at+jwt', 'AT+JWT', 'JWT', 'JOSE', 'anything']) {
    const text = await token(rs256, {}, { jku: 'https://evil.example/keys', typ })
    assert.equal(verdict(text), 'valid', typ)
  }
})

test('a token without kid is tried with the keys that fit, and with few of them', async () => {
  const { kid: _, ...header } = { alg: 'ES256' as const, kid: undefined }
  const { SignJWT } = await import('jose')
  const text = await new SignJWT(CLAIMS).setProtectedHeader(header).sign(es256.privateKey)
  assert.equal(verdict(text), 'valid')
  const others = await Promise.all([1, 2, 3, 4].map((i) => newKey('ES256', `other-${i}`)))
  const crowd = others.flatMap(({ jwk }) => {
    const key = verifyKey(jwk)
    return 'because' in key ? [] : [key]
  })
  assert.equal(verdict(text, [...crowd, ...set]), 'forged')
})

test('a token that names a key which is not there has no key', async () => {
  assert.equal(verdict(await token(rs256, {}, { kid: 'new' })), 'noKey')
  assert.equal(verdict(await token(rs256), []), 'noKey')
})

test('a key without a name may verify any token of its kind', async () => {
  const unnamed = set.map((key) => ({ ...key, kid: null }))
  assert.equal(verdict(await token(es256), unnamed), 'valid')
})

test('only the one spelling that an encoder gives is base64url', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const text = Buffer.from(bytes).toString('base64url')
      assert.deepEqual(decodeBase64Url(text), Buffer.from(bytes))
      assert.equal(decodeBase64Url(`${text}=`), null)
      assert.equal(decodeBase64Url(`${text}\n`), null)
    }),
  )
})
