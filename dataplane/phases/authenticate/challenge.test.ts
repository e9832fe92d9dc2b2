/**
 * Proves challenge.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { challengesOf, insufficientScope } from './challenge.ts'
import { jwtEntry } from './fake/issuer.ts'
import { apiKeyEntry } from './fake/policy.ts'

const lines = (headers: readonly string[]): readonly string[] =>
  headers.filter((_, i) => i % 2 === 1)

test('a challenge is written once for each scheme', () => {
  const challenges = challengesOf([
    jwtEntry({ name: 'a' }),
    jwtEntry({ name: 'b', from: [{ kind: 'cookie', name: 'session' }] }),
    apiKeyEntry(),
    { kind: 'anonymous', name: 'guest' },
  ])
  assert.deepEqual(lines(challenges.absent), [
    'Bearer realm="fairlead"',
    'ApiKey realm="fairlead", in="header", name="x-api-key"',
  ])
  assert.deepEqual(lines(challenges.invalid), [
    'Bearer realm="fairlead", error="invalid_token"',
    'ApiKey realm="fairlead", in="header", name="x-api-key"',
  ])
  assert.match(lines(challenges.ambiguous)[0] ?? '', /error="invalid_request"/)
  assert.ok(challenges.absent.every((text, i) => i % 2 === 1 || text === 'www-authenticate'))
})

test('a key behind a scheme of its own is challenged by it', () => {
  const { absent } = challengesOf([
    apiKeyEntry({
      from: [
        { kind: 'header', name: 'authorization', scheme: 'Token' },
        { kind: 'header', name: 'authorization', scheme: 'BEARER' },
        { kind: 'queryParam', name: 'a"b' },
      ],
    }),
  ])
  assert.deepEqual(lines(absent), [
    'Bearer realm="fairlead"',
    'Token realm="fairlead"',
    'ApiKey realm="fairlead", in="query", name="a\\"b"',
  ])
})

test('missing scopes are named', () => {
  assert.deepEqual(insufficientScope(['a', 'b']), [
    'www-authenticate',
    'Bearer realm="fairlead", error="insufficient_scope", scope="a b"',
  ])
})
