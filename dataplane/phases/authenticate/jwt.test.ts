/**
 * Proves jwt.ts, and with it kept-token.ts, judgement.ts and environment.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JwtEntry } from '#wire/auth'
import { keySetId, type KeySource } from '../../sync/keys-message.ts'
import { ISSUER, jwtEntry, newKey, NOW_S, rawToken, token } from './fake/issuer.ts'
import {
  addConsumer,
  consumer,
  type FakeEnvironment,
  fakeEnvironment,
  judging,
} from './fake/policy.ts'
import type { Judgement } from './judgement.ts'
import { TokenJudge } from './jwt.ts'

const key = await newKey('ES256', 'k1')
const next = await newKey('ES256', 'k2')
const SOURCE: KeySource = { kind: 'discovery', issuer: ISSUER }

function publish(env: FakeEnvironment, keys: readonly (typeof key)[], generation = 1): void {
  const set = { id: keySetId(SOURCE), generation, keys: keys.map(({ jwk }) => jwk) }
  env.auth.keySets.apply({ type: 'keySets', sets: [set] })
}

function judgeOf(env: FakeEnvironment, ...entries: readonly JwtEntry[]): TokenJudge {
  const slot = env.auth.keySets.slot(SOURCE)
  return new TokenJudge(
    entries.map((entry) => ({ entry, slot })),
    judging(env),
  )
}

function said(judgement: Judgement): string {
  return judgement.kind === 'verified'
    ? judgement.caller.method
    : `${judgement.kind}: ${judgement.because}`
}

test('the order of the entries decides nothing', async () => {
  const shop = jwtEntry({ name: 'shop', audiences: ['shop'] })
  const bank = jwtEntry({ name: 'bank', audiences: ['bank'] })
  const other = jwtEntry({ name: 'other', issuer: 'https://other.example' })
  const texts = {
    shop: await token(key),
    bank: await token(key, { aud: 'bank' }),
    'ambiguous: is meant for several audiences that differ here': await token(key, {
      aud: ['shop', 'bank'],
    }),
    'invalid: is meant for another audience': await token(key, { aud: 'x' }),
    'invalid: has a wrong signature': await token(await newKey('ES256', 'k1')),
    'invalid: is from an issuer that is not accepted here': await token(key, { iss: 'x' }),
  }
  for (const entries of [
    [shop, bank, other],
    [other, bank, shop],
    [bank, shop, other],
  ]) {
    const env = fakeEnvironment()
    publish(env, [key])
    const judge = judgeOf(env, ...entries)
    // twice: what is kept must not be told differently
    for (const [expected, text] of [...Object.entries(texts), ...Object.entries(texts)]) {
      assert.equal(said(judge.judge(text)), expected)
    }
  }
})

test('what one policy has verified is not believed by another', async () => {
  const env = fakeEnvironment()
  publish(env, [key])
  const text = await token(key)
  assert.equal(said(judgeOf(env, jwtEntry()).judge(text)), 'staff')
  assert.match(said(judgeOf(env, jwtEntry({ audiences: ['bank'] })).judge(text)), /audience/)
  assert.match(said(judgeOf(env, jwtEntry({ algorithms: ['RS256'] })).judge(text)), /algorithm/)
  assert.match(said(judgeOf(env, jwtEntry({ requiredClaims: ['azp'] })).judge(text)), /azp/)
})

test('a token that is kept still expires, and begins, at its moment', async () => {
  const env = fakeEnvironment()
  publish(env, [key])
  const judge = judgeOf(env, jwtEntry({ clockSkewMs: 0 }))
  const text = await token(key, { nbf: NOW_S + 10, exp: NOW_S + 20 })
  for (const [atS, expected] of [
    [9, /yet/],
    [10, /staff/],
    [19, /staff/],
    [20, /expired/],
    [15, /staff/],
  ] as const) {
    env.clock.nowMs = (NOW_S + atS) * 1000
    assert.match(said(judge.judge(text)), expected)
  }
})

test('a token is verified once, and the same caller comes back for it', async () => {
  const env = fakeEnvironment()
  publish(env, [key])
  const judge = judgeOf(env, jwtEntry())
  const text = await token(key)
  const first = judge.judge(text)
  assert.equal(judge.judge(text), first)
  assert.equal(env.auth.tokens.size, 1)
})

test('today’s Consumers count, also for a token that is kept', async () => {
  const env = fakeEnvironment()
  publish(env, [key])
  const judge = judgeOf(env, jwtEntry())
  const text = await token(key, { azp: 'app', groups: ['beta'], scope: 'read' })
  const caller = () => {
    const found = judge.judge(text)
    assert.ok(found.kind === 'verified', said(found))
    return found.caller
  }
  assert.equal(caller().consumer, null)
  assert.deepEqual(caller().scopes, ['read'])
  const identities = [{ issuer: ISSUER, claim: 'azp', value: 'app' }]
  addConsumer(env, consumer('acme', { identities, groups: ['gold'] }))
  assert.equal(caller().consumer?.name, 'acme')
  assert.deepEqual(caller().groups, ['gold', 'beta'])
  addConsumer(env, consumer('acme', { identities, state: 'Suspended' }))
  assert.equal(caller().consumer?.state, 'Suspended')
  addConsumer(env, consumer('globex', { identities }))
  assert.match(said(judge.judge(text)), /^ambiguous/)
  env.directory.setConsumer('partners/globex', null)
  env.directory.setConsumer('partners/acme', null)
  assert.equal(caller().consumer, null)
})

test('a key that was withdrawn verifies nothing from then on, kept or not', async () => {
  const env = fakeEnvironment()
  publish(env, [key, next])
  const judge = judgeOf(env, jwtEntry())
  const [old, young] = await Promise.all([token(key), token(next)])
  assert.equal(said(judge.judge(old)), 'staff')
  publish(env, [next], 2)
  assert.match(said(judge.judge(old)), /does not publish/)
  assert.equal(said(judge.judge(young)), 'staff')
})

test('an unknown key is asked for, answered at once, and not asked for again soon', async () => {
  const env = fakeEnvironment()
  publish(env, [key])
  const judge = judgeOf(env, jwtEntry())
  const text = await token(next)
  assert.match(said(judge.judge(text)), /^invalid: .*does not publish/)
  assert.match(said(judge.judge(text)), /^invalid/)
  assert.deepEqual(env.asked, [keySetId(SOURCE)])
  env.clock.nowMs += 30_000
  judge.judge(text)
  assert.equal(env.asked.length, 2)
  publish(env, [key, next], 2)
  assert.equal(said(judge.judge(text)), 'staff')
})

test('without any keys nobody can tell, and it is not the client who is wrong', async () => {
  const env = fakeEnvironment()
  const judge = judgeOf(env, jwtEntry())
  assert.match(said(judge.judge(await token(key))), /^keysUnavailable/)
  assert.match(said(judge.judge('no token')), /^invalid/)
  assert.match(said(judge.judge(await token(key, { iss: 'x' }))), /^invalid/)
})

test('a forged token costs the cache nothing', async () => {
  const env = fakeEnvironment()
  publish(env, [key])
  const judge = judgeOf(env, jwtEntry())
  const [header = '', payload = ''] = (await token(key)).split('.')
  for (let i = 0; i < 20; i++) {
    const signature = Buffer.alloc(64, i).toString('base64url')
    assert.match(said(judge.judge(`${header}.${payload}.${signature}`)), /signature/)
  }
  assert.equal(said(judge.judge(rawToken('{}', '{}', ''))).startsWith('invalid'), true)
  assert.equal(env.auth.tokens.size, 0)
})
