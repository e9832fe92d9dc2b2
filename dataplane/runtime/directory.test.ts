/**
 * Consumers and keys that come and go.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { ApiKey, Consumer } from '#wire/auth'
import { TableDirectory } from './directory.ts'

const NAMES = ['p/a', 'p/b', 'q/c']
const WORDS = ['x', 'y']

const apiKeys: fc.Arbitrary<ApiKey> = fc.record({
  consumer: fc.constantFrom(...NAMES),
  sha256: fc.constantFrom(...WORDS),
  format: fc.constant('fairlead' as const),
  expiresAtMs: fc.constantFrom(null, 1),
})

const consumers: fc.Arbitrary<Consumer> = fc.record({
  namespace: fc.constant('p'),
  name: fc.constant('a'),
  displayName: fc.constant('A'),
  labels: fc.constant({}),
  state: fc.constantFrom('Active' as const, 'Suspended' as const),
  groups: fc.constant([]),
  externalIds: fc.constant({}),
  identities: fc.array(
    fc.record({
      issuer: fc.constantFrom(...WORDS),
      claim: fc.constantFrom('sub', 'azp'),
      value: fc.constantFrom(...WORDS),
    }),
    { maxLength: 3 },
  ),
})

const changes = fc.array(
  fc.oneof(
    fc.record({ name: fc.constantFrom(...NAMES), apiKey: fc.option(apiKeys) }),
    fc.record({ name: fc.constantFrom(...NAMES), consumer: fc.option(consumers) }),
  ),
  { maxLength: 20 },
)

function seen(directory: TableDirectory): unknown {
  return {
    keys: WORDS.map((hash) => new Set(directory.apiKeys(hash))),
    consumers: NAMES.map((name) => directory.consumer(name)),
    claims: WORDS.map((issuer) => directory.claimsOf(issuer).toSorted()),
    known: WORDS.flatMap((issuer) =>
      ['sub', 'azp'].flatMap((claim) =>
        WORDS.map((value) => new Set(directory.consumersOf(issuer, claim, value))),
      ),
    ),
  }
}

test('after any changes it finds what a directory built anew would find', () => {
  fc.assert(
    fc.property(changes, (list) => {
      const directory = new TableDirectory()
      const keys = new Map<string, ApiKey>()
      const known = new Map<string, Consumer>()
      for (const change of list) {
        if ('apiKey' in change) {
          directory.setApiKey(change.name, change.apiKey)
          if (change.apiKey === null) keys.delete(change.name)
          else keys.set(change.name, change.apiKey)
        } else {
          directory.setConsumer(change.name, change.consumer)
          if (change.consumer === null) known.delete(change.name)
          else known.set(change.name, change.consumer)
        }
      }
      const fresh = new TableDirectory()
      for (const [name, key] of keys) fresh.setApiKey(name, key)
      for (const [name, consumer] of known) fresh.setConsumer(name, consumer)
      assert.deepEqual(seen(directory), seen(fresh))
    }),
    { numRuns: 1_000 },
  )
})

test('a key that was revoked opens nothing', () => {
  const directory = new TableDirectory()
  const key: ApiKey = { consumer: 'p/a', sha256: 'x', format: 'fairlead', expiresAtMs: null }
  directory.setApiKey('p/key', key)
  assert.deepEqual(directory.apiKeys('x'), [key])
  directory.setApiKey('p/key', null)
  assert.deepEqual(directory.apiKeys('x'), [])
})
