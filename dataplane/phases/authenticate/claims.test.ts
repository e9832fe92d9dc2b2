/**
 * Proves claims.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { audienceOf, checkClaims, scopesOf, stringsOf } from './claims.ts'
import { ISSUER, jwtEntry } from './fake/issuer.ts'
import type { StrictObject } from './strict-json.ts'

const GOOD: StrictObject = { iss: ISSUER, aud: 'shop', sub: 'u-1', exp: 2_000 }

function refusal(claims: StrictObject, entry = jwtEntry()): string | null {
  const found = checkClaims(claims, entry)
  return found.kind === 'claimRefusal' ? found.because : null
}

/** A moment long past: as good as none. */
const PAST = -1_000_000

test('a token counts from nbf to exp, and a skew more on both sides', () => {
  const time = fc.integer({ min: 0, max: 10_000 })
  const start = fc.oneof(fc.constant(PAST), time)
  const times = fc.record({ exp: time, nbf: start, iat: start })
  const near = fc.integer({ min: -1, max: 1 })
  fc.assert(
    fc.property(times, fc.nat(60), near, ({ exp, nbf, iat }, skewS, offBy) => {
      const claims = { ...GOOD, exp, nbf, ...(iat === PAST ? {} : { iat }) }
      const found = checkClaims(claims, jwtEntry({ clockSkewMs: skewS * 1000 }))
      assert.ok(found.kind === 'validity')
      for (const edge of [exp + skewS, nbf - skewS, iat - skewS]) {
        const at = edge + offBy
        const inside: boolean = found.fromMs <= at * 1000 && at * 1000 < found.untilMs
        assert.equal(inside, at < exp + skewS && at >= nbf - skewS && at >= iat - skewS)
      }
    }),
  )
})

const REFUSED: readonly (readonly [string, StrictObject, RegExp])[] = [
  ['another issuer', { ...GOOD, iss: `${ISSUER}/` }, /issuer/],
  ['no issuer', { aud: 'shop', sub: 'a', exp: 1 }, /issuer/],
  ['an issuer in a list', { ...GOOD, iss: [ISSUER] }, /issuer/],
  ['another audience', { ...GOOD, aud: 'bank' }, /audience/],
  ['no audience', { iss: ISSUER, sub: 'a', exp: 1 }, /audience/],
  ['an audience that is part of ours', { ...GOOD, aud: 'sho' }, /audience/],
  ['an audience that is an object', { ...GOOD, aud: { shop: true } }, /audience that is no text/],
  ['an audience that is a number', { ...GOOD, aud: 7 }, /audience that is no text/],
  ['an audience of null', { ...GOOD, aud: null }, /audience that is no text/],
  [
    'an audience of which one is no text',
    { ...GOOD, aud: ['shop', 7] },
    /audience that is no text/,
  ],
  [
    'a list in its list of audiences',
    { ...GOOD, aud: ['shop', ['x']] },
    /audience that is no text/,
  ],
  ['no subject', { iss: ISSUER, aud: 'shop', exp: 1 }, /claim sub/],
  ['an empty subject', { ...GOOD, sub: '' }, /claim sub/],
  ['a subject of null', { ...GOOD, sub: null }, /claim sub/],
  ['a number as its subject', { ...GOOD, sub: 7 }, /sub that is no text/],
  ['a long number as its subject', { ...GOOD, sub: 12345678901234567890n }, /sub that is no text/],
  ['true as its subject', { ...GOOD, sub: true }, /sub that is no text/],
  ['a list as its subject', { ...GOOD, sub: ['u-1'] }, /sub that is no text/],
  ['an object as its subject', { ...GOOD, sub: { toString: 'u-1' } }, /sub that is no text/],
  ['a number as its id', { ...GOOD, jti: 1 }, /jti that is no text/],
  ['a list as its client', { ...GOOD, azp: ['acme'] }, /azp that is no name/],
  ['true as its client', { ...GOOD, client_id: true }, /client_id that is no name/],
  ['a fraction as its client', { ...GOOD, azp: 1.5 }, /azp that is no name/],
  ['no end', { iss: ISSUER, aud: 'shop', sub: 'a' }, /never expires/],
  ['an end in quotes', { ...GOOD, exp: '2000' }, /not a number/],
  ['an end of null', { ...GOOD, exp: null }, /not a number/],
  ['an end beyond all digits', { ...GOOD, exp: 12345678901234567890n }, /not a number/],
  ['a beginning in quotes', { ...GOOD, nbf: '1' }, /not a number/],
  ['a moment of issue that is a list', { ...GOOD, iat: [1] }, /not a number/],
]

for (const [what, claims, because] of REFUSED) {
  test(`a token with ${what} is refused`, () => {
    assert.match(refusal(claims) ?? '', because)
  })
}

test('a policy may do without an end, audiences and a subject', () => {
  const entry = jwtEntry({ expiry: 'optional', audiences: [], requiredClaims: [] })
  const found = checkClaims({ iss: ISSUER }, entry)
  assert.deepEqual(found, { kind: 'validity', fromMs: -Infinity, untilMs: Infinity })
})

test('a claim that is not asked for has the type that it must have, or is not there', () => {
  const entry = jwtEntry({ audiences: [], requiredClaims: [] })
  const token: StrictObject = { iss: ISSUER, exp: 2_000 }
  assert.equal(refusal(token, entry), null)
  for (const sub of [7, null, [], {}, false]) {
    assert.match(refusal({ ...token, sub }, entry) ?? '', /sub that is no text/)
  }
  for (const aud of [7, null, [7], {}]) {
    assert.match(refusal({ ...token, aud }, entry) ?? '', /audience that is no text/)
  }
})

test('issuers may number their clients', () => {
  assert.equal(refusal({ ...GOOD, azp: 17, client_id: 12345678901234567890n }), null)
})

test('one of several audiences is enough', () => {
  assert.equal(refusal({ ...GOOD, aud: ['bank', 'shop'] }), null)
  assert.equal(audienceOf({ aud: ['bank', 7] }, ['shop', '7']), 'another')
})

test('scopes are read as words or as a list', () => {
  assert.deepEqual(scopesOf({ scope: 'books.read  books.write ' }), ['books.read', 'books.write'])
  assert.deepEqual(scopesOf({ scp: ['a', 7, 'b'] }), ['a', 'b'])
  assert.deepEqual(scopesOf({ scp: 'a b' }), ['a', 'b'])
  assert.deepEqual(scopesOf({ scope: 7 }), [])
  assert.deepEqual(scopesOf({}), [])
  assert.deepEqual(stringsOf('gold'), [])
})
