/**
 * Consumers that state the same identity.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authPolicy, Cluster, JWT, named, route, rule, toRoute } from '../../test/fake/cluster.ts'
import type { Written } from '../../test/fake/world.ts'

const ISSUER = 'https://id.example.com'

function consumer(key: string, values: readonly string[], more: object = {}): Written {
  const identities = values.map((value) => ({ issuer: ISSUER, claim: 'azp', value }))
  return { kind: 'Consumer', metadata: named(key), spec: { identities, ...more } }
}

function guarded(...namespaces: readonly string[]): Cluster {
  const cluster = new Cluster()
  for (const at of namespaces) {
    cluster.apply(
      route(`${at}/r`, [rule('one')], { hosts: [`${at}.example.com`] }),
      authPolicy(`${at}/p`, [toRoute('r')], { authenticate: JWT }),
    )
  }
  return cluster
}

function valuesOf(cluster: Cluster, key: string): readonly string[] {
  const object = cluster.object(`consumer ${key}`)
  assert.ok(object?.kind === 'consumer')
  return object.value.identities.map(({ value }) => value)
}

test('of two Consumers with one identity the older holds it', () => {
  const cluster = guarded('a').apply(consumer('a/z', ['app']), consumer('a/b', ['other', 'app']))
  assert.deepEqual([valuesOf(cluster, 'a/z'), valuesOf(cluster, 'a/b')], [['app'], ['other']])
  assert.equal(cluster.accepted('Consumer a/z'), 'Accepted')
  assert.match(
    cluster.accepted('Consumer a/b'),
    /^PartiallyAccepted: spec\.identities\[1\]: Consumer "z", which is older, has the same identity/,
  )
  cluster.remove('Consumer', 'a', 'z')
  assert.deepEqual(valuesOf(cluster, 'a/b'), ['other', 'app'])
  assert.equal(cluster.accepted('Consumer a/b'), 'Accepted')
})

test('a Consumer of another namespace takes nothing away', () => {
  const cluster = guarded('a', 'b').apply(consumer('a/acme', ['app']), consumer('b/acme', ['app']))
  for (const key of ['a/acme', 'b/acme']) {
    assert.deepEqual(valuesOf(cluster, key), ['app'])
    assert.equal(cluster.accepted(`Consumer ${key}`), 'Accepted')
  }
})

test('a Consumer that cannot be used holds nothing, one that is suspended does', () => {
  const members = [{ issuer: ISSUER, email: 'a@b.c' }]
  const cluster = guarded('a').apply(
    consumer('a/old', ['app'], { members }),
    consumer('a/new', ['app']),
  )
  assert.deepEqual(valuesOf(cluster, 'a/new'), ['app'])
  cluster.apply(consumer('a/old', ['app'], { state: 'Suspended' }))
  assert.deepEqual(valuesOf(cluster, 'a/new'), [])
})

test('one Consumer may say the same twice', () => {
  const cluster = guarded('a').apply(consumer('a/acme', ['app', 'app']))
  assert.equal(cluster.accepted('Consumer a/acme'), 'Accepted')
})
