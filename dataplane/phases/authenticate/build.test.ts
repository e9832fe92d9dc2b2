/**
 * Proves build.ts and build-places.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Authenticate, DENY_DETAIL, type RuleAuth } from '#wire/auth'
import { keyOf } from '#wire/key-format'
import { fakeExchange } from '../../../test/fake/exchange.ts'
import { buildAuth } from './build.ts'
import { jwtEntry, newKey, token } from './fake/issuer.ts'
import {
  addConsumer,
  addKey,
  apiKeyEntry,
  consumer,
  type FakeEnvironment,
  fakeEnvironment,
  FakeReader,
  peppered,
} from './fake/policy.ts'
import type { PreparedAuth } from './prepared.ts'

const issuerKey = await newKey('RS256', 'k1')
const UNIT: Authenticate = {
  entries: [
    jwtEntry({ keys: { kind: 'inline', keys: [{ ...issuerKey.jwk }] } }),
    apiKeyEntry(),
    { kind: 'anonymous', name: 'guest' },
  ],
}

function policy(parts: Partial<Extract<RuleAuth, { kind: 'policy' }>> = {}): RuleAuth {
  return {
    kind: 'policy',
    authenticate: 'unit',
    authorize: [],
    forward: null,
    deny: null,
    ...parts,
  }
}

function built(auth: RuleAuth, reader: FakeReader, env: FakeEnvironment): PreparedAuth {
  const found = buildAuth(auth, reader, env)
  assert.ok(found !== null && found.kind === 'policy', JSON.stringify(found))
  return found
}

function refusal(auth: RuleAuth, reader: FakeReader): string {
  const found = buildAuth(auth, reader, fakeEnvironment())
  assert.ok(found !== null && found.kind === 'reject')
  return `${found.status} ${found.cause}`
}

test('a unit that many rules use is made once', () => {
  const env = fakeEnvironment()
  const reader = new FakeReader().put('authenticate', 'unit', UNIT)
  const first = built(policy(), reader, env)
  assert.equal(built(policy(), reader, env).authenticator, first.authenticator)
  reader.put('authenticate', 'unit', { ...UNIT })
  assert.notEqual(built(policy(), reader, env).authenticator, first.authenticator)
})

test('an open rule has nothing to ask, and a rejected one stays rejected', () => {
  const env = fakeEnvironment()
  assert.equal(buildAuth({ kind: 'open' }, new FakeReader(), env), null)
  const reject = {
    kind: 'reject',
    status: 503,
    cause: 'policy-missing',
    because: 'No policy.',
  } as const
  assert.equal(buildAuth(reject, new FakeReader(), env), reject)
})

test('a key and a token are read from where the policy says, and all of it is taken off', async () => {
  const env = fakeEnvironment()
  const text = keyOf('k'.repeat(43))
  addKey(env, text, addConsumer(env, consumer('acme')))
  const reader = new FakeReader().put('authenticate', 'unit', UNIT)
  const { authenticator } = built(policy(), reader, env)
  const ask = (headers: readonly string[]) => {
    const { exchange } = fakeExchange({ headers })
    const found = authenticator?.authenticate(exchange)
    const names = { headers: ['authorization', 'x-api-key'], cookies: [], queryParams: [] }
    assert.deepEqual(exchange.strip, names)
    return found
  }
  assert.equal(Reflect.get(ask(['X-Api-Key', text]) ?? {}, 'method'), 'partners')
  const bearer = `Bearer ${await token(issuerKey)}`
  assert.equal(Reflect.get(ask(['Authorization', bearer]) ?? {}, 'method'), 'staff')
  assert.equal(Reflect.get(ask([]) ?? {}, 'method'), 'guest')
})

test('an imported key needs its pepper, and follows it when the secret changes', () => {
  const env = fakeEnvironment()
  const acme = addConsumer(env, consumer('acme'))
  addKey(env, 'one', acme, { sha256: peppered('sk', 'new pepper'), format: 'imported' })
  const entry = apiKeyEntry({ formats: ['imported'], pepper: 'shop/pepper:key' })
  const reader = new FakeReader().put('authenticate', 'unit', { entries: [entry] })
  const method = () => {
    const { exchange } = fakeExchange({ headers: ['x-api-key', 'sk'] })
    const found = built(policy(), reader, env).authenticator?.authenticate(exchange) ?? {}
    return Reflect.get(found, 'method') ?? Reflect.get(found, 'cause')
  }
  assert.equal(refusal(policy(), reader), '503 policy-invalid')
  assert.deepEqual(reader.rejected, [
    'authenticate unit: entry partners: the pepper of imported keys is not there',
  ])
  const secret = (text: string) => ({ base64: Buffer.from(text).toString('base64') })
  reader.put('secret', 'shop/pepper:key', secret('old pepper'))
  assert.equal(method(), 'credential-invalid')
  reader.put('secret', 'shop/pepper:key', secret('new pepper'))
  assert.equal(method(), 'partners')
  reader.put('secret', 'shop/pepper:key', secret(''))
  assert.equal(refusal(policy(), reader), '503 policy-invalid')
})

const EXPRESSION = {
  scopes: [],
  when: null,
  deny: { status: 403, cause: 'x', detail: DENY_DETAIL },
}
const BROKEN: readonly (readonly [string, RuleAuth, FakeReader])[] = [
  ['a unit that is not there', policy(), new FakeReader()],
  [
    'a key that cannot be used',
    policy(),
    new FakeReader().put('authenticate', 'unit', {
      entries: [jwtEntry({ keys: { kind: 'inline', keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } })],
    }),
  ],
  [
    'a condition that is not there',
    policy({ authorize: ['a'] }),
    new FakeReader().put('authenticate', 'unit', UNIT),
  ],
  [
    'a condition that is no expression',
    policy({ authorize: ['a'] }),
    new FakeReader()
      .put('authenticate', 'unit', UNIT)
      .put('authorize', 'a', { ...EXPRESSION, require: 'auth.(' }),
  ],
  [
    'headers that cannot be made',
    policy({ forward: 'f' }),
    new FakeReader().put('authenticate', 'unit', UNIT).put('forward', 'f', {
      headers: [{ name: 'x-user', value: [{ expr: 'auth.(' }], onFailure: 'remove' }],
      credential: 'strip',
    }),
  ],
  [
    'texts that are not there',
    policy({ deny: 'd' }),
    new FakeReader().put('authenticate', 'unit', UNIT),
  ],
]

for (const [what, auth, reader] of BROKEN) {
  test(`a policy with ${what} closes the rule`, () => {
    assert.equal(refusal(auth, reader), '503 policy-invalid')
  })
}

test('all that a policy says is made ready, and what it does not say is null', () => {
  const reader = new FakeReader()
    .put('authorize', 'a', { ...EXPRESSION, require: 'true' })
    .put('forward', 'f', { headers: [], credential: 'keep' })
    .put('deny', 'd', { unauthenticated: { detail: 'Get a key.' }, forbidden: null })
  const whole = policy({ authenticate: null, authorize: ['a'], forward: 'f', deny: 'd' })
  const found = built(whole, reader, fakeEnvironment())
  assert.equal(found.authenticator, null)
  assert.equal(found.authorizers?.length, 1)
  assert.deepEqual(found.forward, { headers: null, credential: 'keep' })
  assert.equal(found.unauthenticatedDetail, 'Get a key.')
  assert.equal(found.forbiddenDetail, null)
})
