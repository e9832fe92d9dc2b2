/**
 * Where credentials are looked for, and when two entries would quarrel over one.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CarrierSpec } from '../../crds/carrier.ts'
import type { AuthenticateEntry, Carrier } from '#wire/auth'
import { claimant, compileCarriers } from './carrier.ts'
import { FieldPath } from './problem.ts'

const AT = new FieldPath<readonly CarrierSpec[]>('from')

test('carriers keep their order and header names are in lower case', () => {
  const { value, problems } = compileCarriers(
    [
      { header: { name: 'X-Api-Key' } },
      { header: { name: 'authorization', scheme: 'Key' } },
      { cookie: { name: 'Session' } },
      { queryParam: { name: 'api_key' } },
    ],
    AT,
  )
  assert.deepEqual(problems, [])
  assert.deepEqual(value, [
    { kind: 'header', name: 'x-api-key', scheme: null },
    { kind: 'header', name: 'authorization', scheme: 'Key' },
    { kind: 'cookie', name: 'Session' },
    { kind: 'queryParam', name: 'api_key' },
  ])
})

test('one place stands in the list once', () => {
  const twice: readonly (readonly CarrierSpec[])[] = [
    [{ header: { name: 'x-a' } }, { header: { name: 'X-A' } }],
    [{ header: { name: 'x-a', scheme: 'a' } }, { header: { name: 'x-a', scheme: 'A' } }],
    [{ header: { name: 'x-a', scheme: 'a' } }, { header: { name: 'x-a' } }],
    [{ cookie: { name: 'a' } }, { cookie: { name: 'a' } }],
  ]
  for (const specs of twice) {
    const { value, problems } = compileCarriers(specs, AT)
    assert.equal(value.length, 1)
    assert.equal(problems[0]?.path, 'from[1]')
  }
  const different: readonly CarrierSpec[] = [
    { header: { name: 'x-a', scheme: 'a' } },
    { header: { name: 'x-a', scheme: 'b' } },
    { cookie: { name: 'x-a' } },
    { queryParam: { name: 'x-a' } },
    { cookie: { name: 'X-A' } },
  ]
  assert.deepEqual(compileCarriers(different, AT).problems, [])
})

test('a header that frames the message carries no credential', () => {
  const { value, problems } = compileCarriers([{ header: { name: 'Host' } }, {}], AT)
  assert.deepEqual(value, [])
  assert.deepEqual(
    problems.map(({ path }) => path),
    ['from[0].header.name', 'from[1]'],
  )
})

function jwt(name: string, from: readonly Carrier[]): AuthenticateEntry {
  return {
    kind: 'jwt',
    name,
    from,
    issuer: name,
    audiences: [],
    algorithms: ['ES256'],
    clockSkewMs: 0,
    requiredClaims: [],
    expiry: 'required',
    keys: { kind: 'discovery' },
  }
}

function apiKey(name: string, from: readonly Carrier[]): AuthenticateEntry {
  const selector = { matchLabels: [], matchExpressions: [] }
  return { kind: 'apiKey', name, from, namespaces: [], selector, formats: [], pepper: null }
}

const BEARER: Carrier = { kind: 'header', name: 'authorization', scheme: 'Bearer' }
const WHOLE: Carrier = { kind: 'header', name: 'authorization', scheme: null }
const KEY: Carrier = { kind: 'header', name: 'authorization', scheme: 'Key' }

test('two entries that could claim one credential are refused', () => {
  assert.equal(claimant(apiKey('b', [BEARER]), [jwt('a', [BEARER])]), 'a')
  assert.equal(claimant(jwt('b', [BEARER]), [apiKey('a', [WHOLE])]), 'a')
  assert.equal(claimant(apiKey('b', [KEY]), [apiKey('a', [KEY])]), 'a')
  assert.equal(claimant(apiKey('b', [KEY]), [jwt('a', [BEARER])]), null)
  assert.equal(claimant(jwt('b', [BEARER]), [jwt('a', [BEARER])]), null)
  assert.equal(claimant({ kind: 'anonymous', name: 'b' }, [apiKey('a', [KEY])]), null)
  assert.equal(claimant(apiKey('b', [KEY]), [{ kind: 'anonymous', name: 'a' }]), null)
})
