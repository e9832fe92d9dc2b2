/**
 * Proves keys-message.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JwtKeys } from '#wire/auth'
import type { TableObject } from '#wire/table'
import { ISSUER, jwtEntry } from '../phases/authenticate/fake/issuer.ts'
import { apiKeyEntry } from '../phases/authenticate/fake/policy.ts'
import { keySetId, keySourceOf, keySourcesOf } from './keys-message.ts'

function unit(key: string, ...keys: readonly JwtKeys[]): TableObject {
  const entries = keys.map((one, i) => jwtEntry({ name: `jwt-${i}`, keys: one }))
  return {
    kind: 'authenticate',
    key,
    sources: [],
    value: { entries: [...entries, apiKeyEntry()] },
    digest: '',
  }
}

test('two entries with one source share a key set', () => {
  const discovery: JwtKeys = { kind: 'discovery' }
  const uri = (path: string): JwtKeys => ({
    kind: 'jwksUri',
    uri: `https://id.example.com/${path}`,
  })
  const sources = keySourcesOf([
    unit('a', discovery, uri('a'), { kind: 'inline', keys: [] }),
    unit('b', discovery, uri('b'), uri('a')),
  ])
  assert.deepEqual(sources.map(keySetId), [
    `discovery ${ISSUER}`,
    'jwks https://id.example.com/a',
    'jwks https://id.example.com/b',
  ])
})

test('keys in a policy have no source, and a URL is not an issuer of the same spelling', () => {
  assert.equal(keySourceOf(ISSUER, { kind: 'inline', keys: [] }), null)
  const uri = keySourceOf(ISSUER, { kind: 'jwksUri', uri: ISSUER })
  const issuer = keySourceOf(ISSUER, { kind: 'discovery' })
  assert.ok(uri !== null && issuer !== null)
  assert.notEqual(keySetId(uri), keySetId(issuer))
})

test('a Service that one namespace may call is a source of its own', () => {
  const addresses = ['10.96.0.7']
  const own = (uri: string | null) => keySourceOf(ISSUER, { kind: 'service', uri, addresses })
  const sources = [
    own(null),
    own(ISSUER),
    keySourceOf(ISSUER, { kind: 'discovery' }),
    keySourceOf(ISSUER, { kind: 'jwksUri', uri: ISSUER }),
  ]
  assert.equal(new Set(sources.map((one) => one && keySetId(one))).size, 4)
})
