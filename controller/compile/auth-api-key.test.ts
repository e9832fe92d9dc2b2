/**
 * Entries that verify API keys.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiKeyAuthenticationSpec } from '../../crds/authenticate.ts'
import { compileApiKeyEntry } from './auth-api-key.ts'
import { grant, resource, world } from './fake/world.ts'
import { FieldPath } from './problem.ts'
import type { StepWithin } from './steps.ts'

const AT = new FieldPath<ApiKeyAuthenticationSpec>('apiKey')

function compile(
  spec: ApiKeyAuthenticationSpec,
  within: StepWithin = world(),
): ReturnType<typeof compileApiKeyEntry> {
  return compileApiKeyEntry('partners', spec, AT, within)
}

test("absent namespaces mean the policy's own", () => {
  const { value, problems } = compile({})
  assert.deepEqual(problems, [])
  assert.deepEqual(value, {
    entry: {
      kind: 'apiKey',
      name: 'partners',
      from: [{ kind: 'header', name: 'x-api-key', scheme: null }],
      namespaces: ['shop'],
      selector: { matchLabels: [], matchExpressions: [] },
      formats: ['fairlead'],
      pepper: null,
    },
    secret: null,
  })
})

test('other namespaces need a grant, and one without is not accepted', () => {
  const spec = { consumers: { namespaces: ['partners', 'shop', 'vips'] } }
  const within = world([
    grant('partners', 'AuthPolicy', { group: 'fairlead.dev', kind: 'Consumer' }),
  ])
  const { value, problems } = compile(spec, within)
  assert.deepEqual(value.entry.namespaces, ['partners', 'shop'])
  assert.deepEqual(
    problems.map(({ path, reason }) => [path, reason]),
    [['apiKey.consumers.namespaces[2]', 'RefNotPermitted']],
  )
})

test('a grant to one Consumer is no grant to all of them', () => {
  const to = { group: 'fairlead.dev', kind: 'Consumer', name: 'acme' }
  const within = world([grant('partners', 'AuthPolicy', to)])
  const { problems } = compile({ consumers: { namespaces: ['partners'] } }, within)
  assert.equal(problems[0]?.reason, 'RefNotPermitted')
})

test('a selector is kept, its labels in order', () => {
  const selector = {
    matchLabels: { tier: 'gold', partner: 'true' },
    matchExpressions: [
      { key: 'region', operator: 'In', values: ['eu'] },
      { key: 'blocked', operator: 'DoesNotExist' },
    ],
  } as const
  assert.deepEqual(compile({ consumers: { selector } }).value.entry.selector, {
    matchLabels: [
      { name: 'partner', value: 'true' },
      { name: 'tier', value: 'gold' },
    ],
    matchExpressions: [
      { name: 'region', operator: 'In', values: ['eu'] },
      { name: 'blocked', operator: 'DoesNotExist', values: [] },
    ],
  })
})

test('imported keys need a pepper of the right type', () => {
  const spec = {
    formats: ['fairlead', 'imported'],
    pepperSecretRef: { name: 'pepper' },
  } as const
  const pepper = resource('Secret', 'pepper', { type: 'fairlead.dev/pepper', secrets: ['pepper'] })
  const good = compile(spec, world([pepper]))
  assert.deepEqual(good.problems, [])
  assert.equal(good.value.entry.pepper, 'shop/pepper:pepper')
  assert.equal(good.value.secret?.key, 'shop/pepper:pepper')
  const opaque = resource('Secret', 'pepper', { type: 'Opaque', secrets: ['pepper'] })
  const bad = compile(spec, world([opaque]))
  assert.equal(bad.problems[0]?.reason, 'SecretInvalid')
  assert.equal(bad.value.secret, null)
  assert.equal(compile({ formats: ['imported'] }).problems[0]?.path, 'apiKey.formats')
  const unused = compile({ pepperSecretRef: { name: 'pepper' } }, world([pepper]))
  assert.equal(unused.problems[0]?.path, 'apiKey.pepperSecretRef')
})
