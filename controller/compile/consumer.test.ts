/**
 * Consumers and their keys.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiKeySpec } from '../../crds/api-key.ts'
import type { ConsumerSpec } from '../../crds/consumer.ts'
import { checkValue } from '#wire/check'
import { compileApiKey, compileConsumer } from './consumer.ts'
import { grant, resource, world } from './fake/world.ts'
import { FieldPath } from './problem.ts'
import type { StepWithin } from './steps.ts'

const CONSUMER = new FieldPath<ConsumerSpec>('spec')
const KEY = new FieldPath<ApiKeySpec>('spec')
const ACME = resource('Consumer', 'acme', { labels: { tier: 'gold', a: 'b' } })
const SHA256 = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'

test('a Consumer has the documented defaults', () => {
  const { value, problems } = compileConsumer({}, CONSUMER, ACME)
  assert.deepEqual(problems, [])
  assert.deepEqual(value, {
    namespace: 'shop',
    name: 'acme',
    displayName: 'acme',
    labels: { a: 'b', tier: 'gold' },
    state: 'Active',
    groups: [],
    externalIds: {},
    identities: [],
  })
})

test('a Consumer keeps what it says', () => {
  const identity = { issuer: 'https://id.example.com', claim: 'azp', value: 'acme-app' }
  const { value } = compileConsumer(
    {
      displayName: 'Acme',
      state: 'Suspended',
      groups: ['gold', 'gold', 'b'],
      identities: [identity],
      externalIds: { stripe: 'cus_N123', a: 'b' },
    },
    CONSUMER,
    ACME,
  )
  assert.ok(value !== null)
  assert.equal(checkValue('consumer', value), null)
  assert.deepEqual(value.groups, ['gold', 'b'])
  assert.deepEqual(value.identities, [identity])
  assert.deepEqual(Object.keys(value.externalIds), ['a', 'stripe'])
  assert.equal(value.state, 'Suspended')
})

test('an identity that is not supported or not whole leaves nobody', () => {
  const certificate = { certificate: { san: 'spiffe://acme.example/app' } }
  const unsupported = compileConsumer({ identities: [certificate] }, CONSUMER, ACME)
  assert.equal(unsupported.value, null)
  assert.equal(unsupported.problems[0]?.reason, 'NotSupportedYet')
  const partial = compileConsumer({ identities: [{ issuer: 'x' }] }, CONSUMER, ACME)
  assert.equal(partial.value, null)
  assert.equal(partial.problems[0]?.path, 'spec.identities[0]')
})

function key(
  spec: Partial<ApiKeySpec>,
  within: StepWithin = world([ACME]),
): ReturnType<typeof compileApiKey> {
  return compileApiKey({ consumerRef: { name: 'acme' }, sha256: SHA256, ...spec }, KEY, within)
}

test('a key leads to a Consumer that exists and may be named', () => {
  assert.deepEqual(key({}).value, {
    consumer: 'shop/acme',
    sha256: SHA256,
    format: 'fairlead',
    expiresAtMs: null,
  })
  const missing = key({ consumerRef: { name: 'acne' } })
  assert.equal(missing.value, null)
  assert.equal(missing.problems[0]?.reason, 'TargetNotFound')
  const other = resource('Consumer', 'acme', { namespace: 'partners' })
  const consumerRef = { name: 'acme', namespace: 'partners' }
  assert.equal(key({ consumerRef }, world([other])).problems[0]?.reason, 'RefNotPermitted')
  const permit = grant('partners', 'ApiKey', { group: 'fairlead.dev', kind: 'Consumer' })
  assert.equal(key({ consumerRef }, world([other, permit])).value?.consumer, 'partners/acme')
})

test('a key ends at a moment that exists', () => {
  const moment = '2027-01-01T00:00:00Z'
  const { value } = key({ expiresAt: moment, format: 'imported' })
  assert.equal(value?.expiresAtMs, Date.parse(moment))
  assert.equal(value?.format, 'imported')
  assert.ok(value !== null && checkValue('apiKey', value) === null)
  for (const expiresAt of ['2027-02-30T00:00:00Z', 'never', '1969-12-31T00:00:00Z']) {
    assert.equal(key({ expiresAt }).problems[0]?.path, 'spec.expiresAt', expiresAt)
  }
})
