/**
 * Proves authenticate.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DENY_DETAIL, type RuleAuth, SCOPES_DETAIL } from '#wire/auth'
import { keyOf } from '#wire/key-format'
import { fakeExchange } from '../../test/fake/exchange.ts'
import { fakeRule } from '../../test/fake/rule.ts'
import type { Exchange } from '../request/exchange.ts'
import { authenticate } from './authenticate.ts'
import { buildAuth } from './authenticate/build.ts'
import {
  addConsumer,
  addKey,
  apiKeyEntry,
  consumer,
  fakeEnvironment,
  FakeReader,
} from './authenticate/fake/policy.ts'

const KEY = keyOf('k'.repeat(43))

/** A rule that takes keys of partners and guests, and lets through only who is active. */
function world(parts: Partial<Extract<RuleAuth, { kind: 'policy' }>> = {}) {
  const env = fakeEnvironment()
  addKey(env, KEY, addConsumer(env, consumer('acme')))
  const reader = new FakeReader()
    .put('authenticate', 'keys', { entries: [apiKeyEntry()] })
    .put('authenticate', 'guests', {
      entries: [apiKeyEntry(), { kind: 'anonymous', name: 'guest' }],
    })
    .put('authorize', 'active', {
      scopes: [],
      require: 'consumer.state == "Active"',
      when: null,
      deny: { status: 403, cause: 'suspended', detail: DENY_DETAIL },
    })
    .put('authorize', 'readers', {
      scopes: ['books.read'],
      require: null,
      when: null,
      deny: { status: 403, cause: 'insufficient-scope', detail: SCOPES_DETAIL },
    })
    .put('forward', 'keep', {
      headers: [{ name: 'x-user', value: [{ expr: 'auth.consumer' }], onFailure: 'refuse' }],
      credential: 'keep',
    })
    .put('deny', 'texts', {
      unauthenticated: { detail: 'Get a key.' },
      forbidden: { detail: 'Ask us.' },
    })
  const auth: RuleAuth = {
    kind: 'policy',
    authenticate: 'keys',
    authorize: [],
    forward: null,
    deny: null,
    ...parts,
  }
  const ask = (...headers: readonly string[]): Exchange & { readonly said: string } => {
    const { exchange } = fakeExchange({ headers })
    exchange.rule = fakeRule({ auth: buildAuth(auth, reader, env) })
    const outcome = authenticate(exchange)
    const said =
      outcome.kind === 'fail' ? `${outcome.status} ${outcome.cause}: ${outcome.detail}` : 'ok'
    return { ...exchange, said }
  }
  return { env, ask }
}

test('a rule whose policy cannot be enforced answers 503', () => {
  const { ask } = world({ authenticate: 'missing' })
  assert.match(ask('x-api-key', KEY).said, /^503 policy-invalid/)
  assert.match(world({ authorize: ['missing'] }).ask('x-api-key', KEY).said, /^503 policy-invalid/)
})

test('an open rule asks nobody', () => {
  const { exchange } = fakeExchange()
  exchange.rule = fakeRule({ auth: null })
  assert.equal(authenticate(exchange).kind, 'continue')
  assert.equal(exchange.caller, null)
})

test('who is known goes on, as a caller, without the credential', () => {
  const found = world().ask('X-Api-Key', KEY)
  assert.equal(found.said, 'ok')
  assert.equal(found.caller?.consumer?.name, 'acme')
  assert.deepEqual(found.strip?.headers, ['x-api-key'])
  assert.deepEqual(found.identityHeaders, ['x-consumer-name', 'partners/acme'])
})

test('who is not known is refused, and is nobody', () => {
  const found = world().ask()
  assert.match(found.said, /^401 unauthenticated/)
  assert.equal(found.caller, null)
  assert.match(
    world().ask('x-api-key', 'fl_x').said,
    /^401 credential-invalid: .*x-api-key.*checksum/,
  )
})

test('a guest is a caller without Consumer, where the policy lets guests in', () => {
  const found = world({ authenticate: 'guests' }).ask()
  assert.equal(found.said, 'ok')
  assert.equal(found.caller?.method, 'guest')
  assert.equal(found.identityHeaders, null)
  const nobody = world({ authenticate: null }).ask('x-api-key', 'whatever')
  assert.equal(nobody.caller?.anonymous, true)
  assert.equal(nobody.strip, null)
})

test('a suspended Consumer is known, and refused by the condition that says so', () => {
  const { env, ask } = world({ authorize: ['active'] })
  assert.equal(ask('x-api-key', KEY).said, 'ok')
  addConsumer(env, consumer('acme', { state: 'Suspended' }))
  assert.match(ask('x-api-key', KEY).said, /^403 forbidden/)
  const guests = world({ authenticate: 'guests', authorize: ['active'] })
  assert.match(guests.ask().said, /^403 forbidden/)
})

test('the texts of the policy stand in for the built-in ones', () => {
  const { env, ask } = world({ authorize: ['active'], deny: 'texts' })
  assert.equal(ask().said, '401 unauthenticated: Get a key.')
  addConsumer(env, consumer('acme', { state: 'Suspended' }))
  assert.equal(ask('x-api-key', KEY).said, '403 forbidden: Ask us.')
  const readers = world({ authorize: ['readers'], deny: 'texts' })
  assert.equal(readers.ask('x-api-key', KEY).said, '403 insufficient-scope: Ask us.')
})

test('a policy may keep the credential, and set headers of its own', () => {
  const found = world({ forward: 'keep' }).ask('x-api-key', KEY)
  assert.equal(found.strip, null)
  assert.deepEqual(found.identityHeaders?.slice(-2), ['x-user', 'partners/acme'])
  const guest = world({ authenticate: 'guests', forward: 'keep' }).ask()
  assert.match(guest.said, /^403 header-missing/)
})
