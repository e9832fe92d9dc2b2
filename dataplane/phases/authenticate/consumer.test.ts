/**
 * Proves consumer.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Consumer } from '#wire/auth'
import { consumerOf, groupsOf } from './consumer.ts'
import { ISSUER } from './fake/issuer.ts'
import { addConsumer, consumer, fakeEnvironment } from './fake/policy.ts'

const known = (name: string, claim: string, value: string, issuer = ISSUER): Consumer =>
  consumer(name, { identities: [{ issuer, claim, value }] })

test('a token that two Consumers claim names neither', () => {
  const env = fakeEnvironment()
  const acme = addConsumer(env, known('acme', 'azp', 'acme-app'))
  assert.equal(consumerOf(env.directory, 'partners', ISSUER, { azp: 'acme-app' }), acme)
  addConsumer(env, known('globex', 'azp', 'acme-app'))
  assert.equal(consumerOf(env.directory, 'partners', ISSUER, { azp: 'acme-app' }), 'ambiguous')
})

test('two Consumers by two claims of one token are ambiguous; one by both is not', () => {
  const env = fakeEnvironment()
  const identities = [
    { issuer: ISSUER, claim: 'azp', value: 'app' },
    { issuer: ISSUER, claim: 'sub', value: 'u-1' },
  ]
  const acme = addConsumer(env, consumer('acme', { identities }))
  assert.equal(consumerOf(env.directory, 'partners', ISSUER, { azp: 'app', sub: 'u-1' }), acme)
  addConsumer(env, known('globex', 'tenant', 't'))
  const claims = { azp: 'app', tenant: 't' }
  assert.equal(consumerOf(env.directory, 'partners', ISSUER, claims), 'ambiguous')
})

test('the same claim of another issuer says nothing', () => {
  const env = fakeEnvironment()
  addConsumer(env, known('acme', 'azp', 'app', 'https://evil.example'))
  assert.equal(consumerOf(env.directory, 'partners', ISSUER, { azp: 'app' }), null)
})

test('a Consumer of another namespace neither takes a token over nor makes it ambiguous', () => {
  const env = fakeEnvironment()
  const identities = [{ issuer: ISSUER, claim: 'azp', value: 'app' }]
  const stranger = consumer('acme', { namespace: 'strangers', groups: ['gold'], identities })
  addConsumer(env, stranger)
  assert.equal(consumerOf(env.directory, 'partners', ISSUER, { azp: 'app' }), null)
  const acme = addConsumer(env, known('acme', 'azp', 'app'))
  assert.equal(consumerOf(env.directory, 'partners', ISSUER, { azp: 'app' }), acme)
  assert.equal(consumerOf(env.directory, 'strangers', ISSUER, { azp: 'app' }), stranger)
})

test('a number counts as it is written, and nothing else counts as text', () => {
  const env = fakeEnvironment()
  const acme = addConsumer(env, known('acme', 'client', '12345678901234567890'))
  assert.equal(
    consumerOf(env.directory, 'partners', ISSUER, { client: 12345678901234567890n }),
    acme,
  )
  assert.equal(
    consumerOf(env.directory, 'partners', ISSUER, { client: 12345678901234567000 }),
    null,
  )
  addConsumer(env, known('bool', 'flag', 'true'))
  assert.equal(consumerOf(env.directory, 'partners', ISSUER, { flag: true }), null)
  assert.equal(
    consumerOf(env.directory, 'partners', ISSUER, { client: ['12345678901234567890'] }),
    null,
  )
})

test('groups are those of the Consumer and of the token, each once', () => {
  const gold = consumer('acme', { groups: ['gold', 'eu'] })
  assert.deepEqual(groupsOf(gold, { groups: ['eu', 'beta', 7] }), ['gold', 'eu', 'beta'])
  assert.deepEqual(groupsOf(gold, { groups: 'beta' }), ['gold', 'eu'])
  assert.deepEqual(groupsOf(null, { groups: ['beta'] }), ['beta'])
  assert.deepEqual(groupsOf(null, {}), [])
})
