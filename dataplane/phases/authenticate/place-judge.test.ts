/**
 * Proves place-judge.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyOf } from '#wire/key-format'
import { KeyJudge } from './api-key.ts'
import { jwtEntry, newKey, token } from './fake/issuer.ts'
import {
  addConsumer,
  addKey,
  apiKeyEntry,
  consumer,
  fakeEnvironment,
  judging,
  peppered,
} from './fake/policy.ts'
import { verifyKey } from './jwk.ts'
import { TokenJudge } from './jwt.ts'
import { KeyEntry } from './key-entry.ts'
import { fixedKeys } from './key-sets.ts'
import { type Judges, PlaceJudge } from './place-judge.ts'

const KEY = keyOf('k'.repeat(43))
const IMPORTED = 'a.b.c.d'
const issuerKey = await newKey('EdDSA', 'k1')
const TOKEN = await token(issuerKey)
const AUTHORIZATION = { kind: 'header', name: 'authorization' } as const

function world() {
  const env = fakeEnvironment()
  const acme = addConsumer(env, consumer('acme'))
  addKey(env, KEY, acme)
  addKey(env, 'x', acme, { sha256: peppered(IMPORTED, 'salt'), format: 'imported' })
  const key = verifyKey(issuerKey.jwk)
  assert.ok(!('because' in key))
  const tokens = new TokenJudge([{ entry: jwtEntry(), slot: fixedKeys([key]) }], judging(env))
  const entry = apiKeyEntry({ formats: ['fairlead', 'imported'] })
  const keys = new KeyJudge([new KeyEntry(entry, Buffer.from('salt'))], judging(env))
  return { tokens, keys }
}

function said(judges: readonly Judges[], text: string): string {
  const found = new PlaceJudge(AUTHORIZATION, judges).judge(text)
  return found.kind === 'verified' ? found.caller.method : found.because
}

test('a credential goes to the entries of its own kind', () => {
  const { tokens, keys } = world()
  const both = [{ scheme: 'bearer', tokens, keys }]
  assert.equal(said(both, `Bearer ${TOKEN}`), 'staff')
  assert.equal(said(both, `bearer ${KEY}`), 'partners')
  assert.equal(said(both, `Bearer ${IMPORTED}`), 'partners')
  assert.match(said(both, 'Bearer a.b.c'), /base64url/)
  const apart = [
    { scheme: 'apikey', tokens: null, keys },
    { scheme: 'bearer', tokens, keys: null },
  ]
  assert.equal(said(apart, `Bearer ${TOKEN}`), 'staff')
  assert.equal(said(apart, `ApiKey ${KEY}`), 'partners')
  assert.match(said(apart, `Bearer ${KEY}`), /three parts/)
  assert.match(said(apart, `ApiKey ${TOKEN}`), /not known/)
})

test('a scheme that nobody reads is refused, and so is a scheme alone', () => {
  const { tokens, keys } = world()
  const judges = [{ scheme: 'bearer', tokens, keys }]
  assert.match(said(judges, 'Basic dTpw'), /kind that is not accepted/)
  assert.match(said(judges, TOKEN), /kind that is not accepted/)
  assert.match(said(judges, 'Bearer'), /empty/)
})

test('the whole value is a credential only where no scheme is found before it', () => {
  const { tokens, keys } = world()
  const judges = [
    { scheme: 'bearer', tokens, keys: null },
    { scheme: null, tokens: null, keys },
  ]
  assert.equal(said(judges, `Bearer ${TOKEN}`), 'staff')
  assert.equal(said(judges, KEY), 'partners')
  assert.match(said(judges, TOKEN), /not known/)
})
