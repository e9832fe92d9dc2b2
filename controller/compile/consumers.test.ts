/**
 * Consumers and keys on their way into tables.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  authPolicy,
  Cluster,
  consumer,
  JWT,
  named,
  route,
  rule,
  toRoute,
} from '../../test/fake/cluster.ts'
import type { Written } from '../../test/fake/world.ts'

const KEYS = { k: { apiKey: {} } }
const FOREIGN = { k: { apiKey: { consumers: { namespaces: ['b'] } } } }

function apiKey(key: string, digit: string, more: object = {}): Written {
  const spec = { consumerRef: { name: 'acme' }, sha256: digit.repeat(64), ...more }
  return { kind: 'ApiKey', metadata: named(key), spec }
}

function guarded(authenticate: object): Cluster {
  return new Cluster().apply(
    route('a/r', [rule('one')]),
    authPolicy('a/p', [toRoute('r')], { authenticate }),
    consumer('a/acme'),
    consumer('b/acme'),
  )
}

test('of two keys with one hash the older opens', () => {
  const cluster = guarded(KEYS).apply(apiKey('a/z', '0'), apiKey('a/b', '0'), apiKey('a/c', '1'))
  assert.ok(cluster.object('apiKey a/z') !== null)
  assert.equal(cluster.object('apiKey a/b'), null)
  assert.ok(cluster.object('apiKey a/c') !== null)
  assert.match(
    cluster.accepted('ApiKey a/b'),
    /^Conflicted: spec\.sha256: ApiKey a\/z, which is older/,
  )
  cluster.remove('ApiKey', 'a', 'z')
  assert.ok(cluster.object('apiKey a/b') !== null)
  assert.equal(cluster.accepted('ApiKey a/b'), 'Accepted')
})

test('a key that cannot be used holds nothing against another', () => {
  const cluster = guarded(KEYS).apply(
    apiKey('a/old', '0', { consumerRef: { name: 'nobody' } }),
    apiKey('b/old', '0', { consumerRef: { name: 'acme', namespace: 'a' } }),
    apiKey('a/new', '0'),
  )
  assert.ok(cluster.object('apiKey a/new') !== null)
})

test('a table holds the consumers that its policies accept, and no others', () => {
  const cluster = guarded(KEYS).apply(apiKey('a/k', '0'), apiKey('b/k', '1'))
  const present = () => ['a', 'b'].map((at) => cluster.object(`consumer ${at}/acme`) !== null)
  const keys = () => ['a', 'b'].map((at) => cluster.object(`apiKey ${at}/k`) !== null)
  assert.deepEqual(
    [present(), keys()],
    [
      [true, false],
      [true, false],
    ],
  )
  cluster.apply(authPolicy('a/p', [toRoute('r')], { authenticate: FOREIGN }))
  assert.equal(cluster.auth('a/r/one'), 'policy-invalid', 'there is no grant yet')
  cluster.apply({
    kind: 'ReferenceGrant',
    metadata: named('b/g'),
    spec: {
      from: [{ group: 'fairlead.dev', kind: 'AuthPolicy', namespace: 'a' }],
      to: [{ group: 'fairlead.dev', kind: 'Consumer' }],
    },
  })
  assert.deepEqual(
    [present(), keys()],
    [
      [false, true],
      [false, true],
    ],
  )
  cluster.apply(authPolicy('a/p', [toRoute('r')], { authenticate: JWT }))
  assert.deepEqual(present(), [true, false])
})

test('a consumer that cannot be used takes its keys along', () => {
  const cluster = guarded(KEYS).apply(apiKey('a/k', '0'), consumer('a/acme', { state: 'Unsure' }))
  assert.equal(cluster.object('consumer a/acme'), null)
  assert.equal(cluster.object('apiKey a/k'), null)
  assert.match(cluster.accepted('Consumer a/acme'), /^Invalid: spec\.state/)
})
