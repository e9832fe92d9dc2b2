/**
 * Entries that verify JWTs, with real keys.
 */
import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import type { JwtSpec } from '../../crds/authenticate.ts'
import { JWT_ALGORITHMS, type JwtEntry } from '#wire/auth'
import { compileJwt, sameIssuer } from './auth-jwt.ts'
import { service, world } from './fake/world.ts'
import { FieldPath } from './problem.ts'

const AT = new FieldPath<JwtSpec>('jwt')
const ISSUER = 'https://id.example.com'
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const PUBLIC = jwk(publicKey)
const PRIVATE = jwk(privateKey)

function jwk(key: KeyObject): { readonly [member: string]: string } {
  const members = Object.entries(key.export({ format: 'jwk' }))
  return Object.fromEntries(members.map(([name, value]) => [name, String(value)]))
}

function compile(spec: Partial<JwtSpec>): ReturnType<typeof compileJwt> {
  return compileJwt('staff', { issuer: ISSUER, ...spec }, AT, world())
}

function compiled(spec: Partial<JwtSpec>): JwtEntry {
  const { value, problems } = compile(spec)
  assert.deepEqual(problems, [])
  return value
}

function paths(spec: Partial<JwtSpec>): readonly string[] {
  return compile(spec).problems.map(({ path }) => path)
}

test('what an entry does not say has the documented default', () => {
  assert.deepEqual(compiled({}), {
    kind: 'jwt',
    name: 'staff',
    from: [{ kind: 'header', name: 'authorization', scheme: 'Bearer' }],
    issuer: ISSUER,
    audiences: [],
    algorithms: JWT_ALGORITHMS,
    clockSkewMs: 10_000,
    requiredClaims: ['sub'],
    expiry: 'required',
    keys: { kind: 'discovery' },
  })
})

test('what an entry says holds', () => {
  const entry = compiled({
    audiences: ['shop', 'shop', 'b'],
    jwksUri: 'https://id.example.com/keys',
    algorithms: ['ES256', 'EdDSA'],
    clockSkew: '0s',
    requiredClaims: [],
    expiry: 'optional',
    from: [{ cookie: { name: 'session' } }],
  })
  assert.deepEqual(entry.audiences, ['shop', 'b'])
  assert.deepEqual(entry.keys, { kind: 'jwksUri', uri: 'https://id.example.com/keys' })
  assert.deepEqual(entry.algorithms, ['ES256', 'EdDSA'])
  assert.equal(entry.clockSkewMs, 0)
  assert.deepEqual(entry.requiredClaims, [])
  assert.equal(entry.expiry, 'optional')
  assert.deepEqual(entry.from, [{ kind: 'cookie', name: 'session' }])
})

test('keys at an own Service are fetched at its cluster address', () => {
  const within = world([service('id', [{ port: 80 }])])
  const keysOf = (spec: Partial<JwtSpec>) =>
    compileJwt('staff', { issuer: 'http://id.shop', ...spec }, AT, within).value.keys
  const addresses = ['10.96.0.7']
  assert.deepEqual(keysOf({}), { kind: 'service', uri: null, addresses })
  const uri = 'https://id.shop.svc/keys'
  assert.deepEqual(keysOf({ jwksUri: uri }), { kind: 'service', uri, addresses })
  const elsewhere = 'https://id.example.com/keys'
  assert.deepEqual(keysOf({ jwksUri: elsewhere }), { kind: 'jwksUri', uri: elsewhere })
})

test('inline keys are kept as they are written', () => {
  assert.deepEqual(compiled({ keys: [PUBLIC] }).keys, { kind: 'inline', keys: [PUBLIC] })
  assert.deepEqual(compiled({ issuer: 'not-a-url', keys: [PUBLIC] }).issuer, 'not-a-url')
})

test('a private key is refused at the member that must go', () => {
  const { problems } = compile({ keys: [PUBLIC, PRIVATE] })
  assert.equal(problems[0]?.path, 'jwt.keys[1].d')
  assert.match(problems[0]?.sentence ?? '', /remove "d"/)
})

test('a key that no accepted algorithm uses is refused', () => {
  assert.deepEqual(paths({ keys: [PUBLIC], algorithms: ['RS256'] }), ['jwt.keys[0]'])
})

test('keys of one type are told apart by their kid', () => {
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
  const second = jwk(other)
  assert.deepEqual(paths({ keys: [PUBLIC, second] }), ['jwt.keys[1]'])
  assert.deepEqual(
    paths({
      keys: [
        { ...PUBLIC, kid: 'a' },
        { ...second, kid: 'a' },
      ],
    }),
    ['jwt.keys[1]'],
  )
  assert.deepEqual(
    paths({
      keys: [
        { ...PUBLIC, kid: 'a' },
        { ...second, kid: 'b' },
      ],
    }),
    [],
  )
})

test('keys come from one place', () => {
  assert.deepEqual(paths({ jwksUri: ISSUER, keys: [PUBLIC] }), ['jwt'])
})

test('what is fetched must be https and have no query where it is discovered', () => {
  assert.deepEqual(paths({ issuer: 'http://id.example.com' }), ['jwt.issuer'])
  assert.deepEqual(paths({ issuer: 'https://id.example.com?x=1' }), ['jwt.issuer'])
  assert.deepEqual(paths({ issuer: 'shop' }), ['jwt.issuer'])
  assert.deepEqual(paths({ issuer: 'shop', jwksUri: 'http://id.example.com/k' }), ['jwt.jwksUri'])
})

test('a clock skew and carriers are checked where they stand', () => {
  assert.deepEqual(paths({ clockSkew: '99999h', from: [{ header: { name: 'te' } }] }), [
    'jwt.from[0].header.name',
    'jwt.clockSkew',
  ])
})

test('two entries of one issuer must differ in all audiences', () => {
  const entry = (audiences: readonly string[]): JwtEntry => compiled({ audiences })
  assert.equal(sameIssuer(entry(['a']), [entry(['b', 'a'])]), 'staff')
  assert.equal(sameIssuer(entry(['a']), [entry([])]), 'staff')
  assert.equal(sameIssuer(entry([]), [entry(['a'])]), 'staff')
  assert.equal(sameIssuer(entry(['a']), [entry(['b'])]), null)
  const other = { ...entry(['a']), issuer: 'https://other.example.com' }
  assert.equal(sameIssuer(entry(['a']), [other]), null)
})
