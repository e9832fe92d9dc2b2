/**
 * Proves authenticator.ts: the rules of who is calling, against their plain twin.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Authenticate, Carrier } from '#wire/auth'
import { keyOf } from '#wire/key-format'
import { fakeExchange } from '../../../test/fake/exchange.ts'
import { buildAuth } from './build.ts'
import type { Caller } from './caller.ts'
import { jwtEntry, newKey, NOW_S, token } from './fake/issuer.ts'
import { type EntryFact, type Fact, plainAnswer, type Shown } from './fake/matrix.ts'
import {
  addConsumer,
  addKey,
  apiKeyEntry,
  consumer,
  fakeEnvironment,
  FakeReader,
} from './fake/policy.ts'

const A = 'https://a.example'
const B = 'https://b.example'
const keys = { [A]: await newKey('EdDSA', 'a'), [B]: await newKey('ES256', 'b') }
const stranger = await newKey('EdDSA', 'a')

const env = fakeEnvironment()
addConsumer(env, consumer('acme', { identities: [id(A, 'acme'), id(B, 'acme')] }))
addConsumer(env, consumer('globex', { identities: [id(A, 'globex')] }))
addConsumer(env, consumer('twin-1', { identities: [id(A, 'twins')] }))
addConsumer(env, consumer('twin-2', { identities: [id(A, 'twins')] }))
// of another namespace: neither takes over a token of this one nor makes it ambiguous
const claimed = [id(A, 'acme'), id(A, 'globex'), id(A, 'twins'), id(B, 'acme')]
addConsumer(env, consumer('intruder', { namespace: 'strangers', identities: claimed }))
const shopper = addConsumer(env, consumer('shopper', { namespace: 'shop' }))
const acme = env.directory.consumer('partners/acme') ?? shopper

function id(issuer: string, value: string) {
  return { issuer, claim: 'azp', value }
}

interface Credential {
  readonly text: string
  readonly fact: Fact
}

async function tokenOf(
  issuer: typeof A | typeof B,
  audiences: readonly string[],
  azp: string | null,
  verdict: 'valid' | 'expired' | 'forged' = 'valid',
): Promise<Credential> {
  const claims = {
    iss: issuer,
    aud: [...audiences],
    ...(azp === null ? {} : { azp }),
    ...(verdict === 'expired' ? { exp: NOW_S - 100 } : {}),
  }
  const text = await token(verdict === 'forged' ? stranger : keys[issuer], claims)
  const known = env.directory
    .consumersOf(issuer, 'azp', azp ?? '')
    .filter(({ namespace }) => namespace === 'partners')
  const consumers = known.map(({ namespace, name }) => `${namespace}/${name}`)
  return { text, fact: { is: 'token', issuer, audiences, verdict, consumers } }
}

function keyCredential(letter: string, owner: typeof acme | null): Credential {
  const text = keyOf(letter.repeat(43))
  if (owner !== null) addKey(env, text, owner)
  const { namespace = '', name = '' } = owner ?? {}
  return { text, fact: { is: 'key', owner: owner && `${namespace}/${name}`, namespace } }
}

const CREDENTIALS: readonly Credential[] = [
  await tokenOf(A, ['shop'], 'acme'),
  await tokenOf(A, ['shop'], 'globex'),
  await tokenOf(A, ['shop'], null),
  await tokenOf(A, ['bank'], 'acme'),
  await tokenOf(A, ['shop', 'bank'], 'acme'),
  await tokenOf(A, ['other'], 'acme'),
  await tokenOf(A, ['shop'], 'twins'),
  await tokenOf(A, ['shop'], 'acme', 'expired'),
  await tokenOf(A, ['shop'], 'acme', 'forged'),
  await tokenOf(B, ['shop'], 'acme'),
  await tokenOf(B, ['shop'], null),
  keyCredential('a', acme),
  keyCredential('s', shopper),
  keyCredential('u', null),
  { text: 'dTpw', fact: { is: 'noise' } },
]

const BEARER: Carrier = { kind: 'header', name: 'authorization', scheme: 'Bearer' }
const KEYED: Carrier = { kind: 'header', name: 'authorization', scheme: 'ApiKey' }
const HEADER: Carrier = { kind: 'header', name: 'x-api-key', scheme: null }
const COOKIE: Carrier = { kind: 'cookie', name: 'session' }
const QUERY: Carrier = { kind: 'queryParam', name: 'token' }
const everywhere = [BEARER, KEYED, HEADER, COOKIE, QUERY]
const carriers = fc.oneof(fc.constant(everywhere), fc.subarray(everywhere, { minLength: 1 }))

const entries = fc
  .record({
    shop: fc.option(carriers),
    bank: fc.option(carriers),
    other: fc.option(carriers),
    partners: fc.option(carriers),
    shoppers: fc.option(carriers),
    also: fc.option(carriers),
    guest: fc.boolean(),
  })
  .map(({ shop, bank, other, partners, shoppers, also, guest }): EntryFact[] => {
    const all: EntryFact[] = []
    const jwt = { kind: 'jwt', issuer: A } as const
    if (shop !== null) all.push({ ...jwt, name: 'shop', audience: 'shop', from: shop })
    if (bank !== null) all.push({ ...jwt, name: 'bank', audience: 'bank', from: bank })
    if (other !== null) {
      all.push({ kind: 'jwt', name: 'other', issuer: B, audience: 'shop', from: other })
    }
    const apiKey = { kind: 'apiKey', namespace: 'partners' } as const
    if (partners !== null) all.push({ ...apiKey, name: 'partners', from: partners })
    if (also !== null) all.push({ ...apiKey, name: 'also', from: also })
    if (shoppers !== null) {
      all.push({ kind: 'apiKey', name: 'shoppers', namespace: 'shop', from: shoppers })
    }
    if (guest) all.push({ kind: 'anonymous', name: 'guest' })
    return all
  })
  .filter((all) => all.length > 0)

const credential = fc.record({
  credential: fc.constantFrom(...CREDENTIALS),
  times: fc.constantFrom(...([1, 1, 1, 1, 1, 1, 1, 1, 1, 2] as const)),
  scheme: fc.constantFrom(...(['Bearer', 'bearer', 'Bearer', 'ApiKey', 'Basic', null] as const)),
})
const requests = fc.record({
  authorization: fc.option(credential),
  header: fc.option(credential, { freq: 2 }),
  cookie: fc.option(credential, { freq: 2 }),
  query: fc.option(credential, { freq: 2 }),
  /** Everywhere the same credential. */
  same: fc.option(fc.constantFrom(...CREDENTIALS), { freq: 2 }),
})

function wireOf(all: readonly EntryFact[]): Authenticate {
  return {
    entries: all.map((entry) => {
      switch (entry.kind) {
        case 'anonymous':
          return entry
        case 'apiKey':
          return apiKeyEntry({ name: entry.name, namespaces: [entry.namespace], from: entry.from })
        case 'jwt':
          return jwtEntry({
            name: entry.name,
            issuer: entry.issuer,
            audiences: [entry.audience],
            from: entry.from,
            keys: { kind: 'inline', keys: [{ ...keys[entry.issuer === A ? A : B].jwk }] },
          })
        default:
          return entry satisfies never
      }
    }),
  }
}

type Request = typeof requests extends fc.Arbitrary<infer T> ? T : never

function shownOf(request: Request): readonly Shown[] {
  const shown = (
    one: Request['header'],
    place: Shown['place'],
    scheme: string | null,
  ): readonly Shown[] =>
    one === null ? [] : [{ place, scheme, times: one.times, ...(request.same ?? one.credential) }]
  return [
    ...shown(request.authorization, BEARER, request.authorization?.scheme ?? null),
    ...shown(request.header, HEADER, null),
    ...shown(request.cookie, COOKIE, null),
    ...shown(request.query, QUERY, null),
  ]
}

/** A policy of the namespace in which its Consumers are. */
const UNIT = 'partners/shop/defaults'

function answerOf(all: readonly EntryFact[], shown: readonly Shown[]): unknown {
  const reader = new FakeReader().put('authenticate', UNIT, wireOf(all))
  const auth = {
    kind: 'policy',
    authenticate: UNIT,
    authorize: [],
    forward: null,
    deny: null,
  } as const
  const built = buildAuth(auth, reader, env)
  assert.ok(built !== null && built.kind === 'policy' && built.authenticator !== null)
  const headers: string[] = []
  const query: string[] = []
  for (const { place, scheme, times, text } of shown) {
    for (let i = 0; i < times; i++) {
      const value = scheme === null ? text : `${scheme} ${text}`
      if (place.kind === 'header') headers.push(place.name, value)
      if (place.kind === 'cookie') headers.push('Cookie', `${place.name}=${value}`)
      if (place.kind === 'queryParam') query.push(`${place.name}=${encodeURIComponent(value)}`)
    }
  }
  const { exchange } = fakeExchange({ headers, query: query.join('&') })
  const found = built.authenticator.authenticate(exchange)
  return 'cause' in found ? { refused: found.cause } : callerOf(found)
}

function callerOf({ method, consumer: owner }: Caller): unknown {
  return { who: method, consumer: owner === null ? '' : `${owner.namespace}/${owner.name}` }
}

test('every set of credentials is judged as the plain twin does', () => {
  const seen = new Map<string, number>()
  fc.assert(
    fc.property(entries, requests, (all, request) => {
      const shown = shownOf(request)
      const plain = plainAnswer(all, shown)
      const expected = 'refused' in plain ? plain : { who: plain.who, consumer: plain.consumer }
      const several = shown.length > 1 ? 'several: ' : ''
      const what = 'refused' in plain ? plain.refused : plain.consumer === '' ? 'known' : 'consumer'
      seen.set(`${several}${what}`, (seen.get(`${several}${what}`) ?? 0) + 1)
      assert.deepEqual(answerOf(all, shown), expected)
      assert.deepEqual(answerOf(all.toReversed(), shown), expected, 'the order decided')
    }),
    { numRuns: 3_000 },
  )
  // the cases of interest do come up
  for (const what of CASES) assert.ok((seen.get(what) ?? 0) > 3, `${what}: ${seen.get(what)}`)
})

const CASES = [
  'unauthenticated',
  'credential-invalid',
  'known',
  'consumer',
  'several: ambiguous-credential',
  'several: consumer',
  'several: known',
]
