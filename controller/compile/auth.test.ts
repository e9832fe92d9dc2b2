/**
 * Parts of AuthPolicies as a whole.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuthPolicyPart } from '../../crds/auth-policy.ts'
import { checkValue } from '#wire/check'
import { compileAuthPart } from './auth.ts'
import { grant, world } from './fake/world.ts'
import { FieldPath } from './problem.ts'

const AT = new FieldPath<AuthPolicyPart>('spec')
const PARTNERS = world([
  grant('partners', 'AuthPolicy', { group: 'fairlead.dev', kind: 'Consumer' }),
])

function compile(part: AuthPolicyPart): ReturnType<typeof compileAuthPart> {
  return compileAuthPart(part, AT, PARTNERS)
}

function paths(part: AuthPolicyPart): readonly string[] {
  const { value, problems } = compile(part)
  assert.equal(value.usable, problems.length > 0 ? 'no' : 'yes')
  return problems.map(({ path }) => path)
}

/** The example of the documentation, as far as this release goes. */
const SHOP: AuthPolicyPart = {
  authenticate: {
    staff: { jwt: { issuer: 'https://id.example.com', audiences: ['shop'] } },
    partners: {
      apiKey: {
        from: [{ header: { name: 'x-api-key' } }],
        consumers: {
          namespaces: ['partners'],
          selector: { matchLabels: { partner: 'true' } },
        },
      },
    },
    guest: { anonymous: {} },
  },
  authorize: {
    readers: { scopes: ['books.read'], when: 'request.method == "GET"' },
    'not-suspended': {
      require: 'consumer.state == "Active"',
      deny: { status: 403, cause: 'suspended', detail: 'Read-only; see the portal.' },
    },
    inherited: { disabled: true },
  },
  forward: { headers: [{ name: 'x-user', value: '${auth.claims.sub}' }], credential: 'keep' },
  deny: { unauthenticated: { detail: 'Get a key.' }, forbidden: {} },
}

test('a policy becomes what a data plane executes', () => {
  const { value, problems } = compile(SHOP)
  assert.deepEqual(problems, [])
  assert.equal(value.usable, 'yes')
  const { authenticate, forward, deny } = value
  assert.ok(authenticate !== null && forward !== null && deny !== null)
  assert.equal(checkValue('authenticate', authenticate), null)
  assert.equal(checkValue('forward', forward), null)
  assert.equal(checkValue('deny', deny), null)
  for (const entry of value.authorize.values()) assert.equal(checkValue('authorize', entry), null)
  assert.deepEqual(
    authenticate.entries.map(({ kind, name }) => [name, kind]),
    [
      ['guest', 'anonymous'],
      ['partners', 'apiKey'],
      ['staff', 'jwt'],
    ],
  )
  assert.deepEqual([...value.authorize.keys()], ['not-suspended', 'readers'])
  assert.deepEqual(value.disabled, ['inherited'])
  assert.equal(forward.credential, 'keep')
  assert.deepEqual(deny, { unauthenticated: { detail: 'Get a key.' }, forbidden: null })
})

test('a part that states nothing is null throughout', () => {
  const { value } = compile({})
  assert.equal(value.authenticate, null)
  assert.equal(value.forward, null)
  assert.equal(value.deny, null)
  assert.equal(value.authorize.size, 0)
})

test('credentials are stripped unless the policy keeps them', () => {
  assert.equal(compile({ forward: {} }).value.forward?.credential, 'strip')
})

test('one broken entry makes the part unusable', () => {
  assert.deepEqual(
    paths({ ...SHOP, authenticate: { ...SHOP.authenticate, odd: { jwt: { issuer: 'x' } } } }),
    ['spec.authenticate.odd.jwt.issuer'],
  )
  assert.deepEqual(paths({ ...SHOP, authorize: { a: { require: 'nobody' } } }), [
    'spec.authorize.a.require',
  ])
  assert.deepEqual(paths({ ...SHOP, forward: { headers: [{ name: 'host', value: 'a' }] } }), [
    'spec.forward.headers[0].name',
  ])
})

test('a method that is not supported yet closes the door', () => {
  assert.deepEqual(
    paths({ authenticate: { users: { basic: { secretRef: { name: 'users' } } } } }),
    ['spec.authenticate.users.basic'],
  )
  assert.deepEqual(paths({ authorize: { opa: { external: { url: 'http://opa.auth' } } } }), [
    'spec.authorize.opa.external',
  ])
})

test('nobody is anonymous twice', () => {
  assert.deepEqual(paths({ authenticate: { a: { anonymous: {} }, b: { anonymous: {} } } }), [
    'spec.authenticate.b.anonymous',
  ])
})

test('two entries that a token could go to are refused, whatever their order', () => {
  const jwt = { issuer: 'https://id.example.com', audiences: ['shop', 'web'] }
  const other = { issuer: 'https://id.example.com', audiences: ['web'] }
  assert.deepEqual(paths({ authenticate: { a: { jwt }, b: { jwt: other } } }), [
    'spec.authenticate.b.jwt.audiences',
  ])
  assert.deepEqual(paths({ authenticate: { b: { jwt: other }, a: { jwt } } }), [
    'spec.authenticate.b.jwt.audiences',
  ])
})

test('a place where a key and a token could be meant is refused', () => {
  const from = [{ header: { name: 'authorization', scheme: 'bearer' } }]
  const jwt = { issuer: 'https://id.example.com' }
  assert.deepEqual(paths({ authenticate: { a: { apiKey: { from } }, b: { jwt } } }), [
    'spec.authenticate.b.jwt.from',
  ])
  assert.deepEqual(paths({ authenticate: { a: { apiKey: {} }, b: { apiKey: {} } } }), [
    'spec.authenticate.b.apiKey.from',
  ])
})
