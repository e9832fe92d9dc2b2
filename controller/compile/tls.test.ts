/**
 * Proves what TLS of a host becomes, with real certificates.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostTls } from '#wire/table'
import { certificateFor, type Pair } from '../../test/fake/certificate.ts'
import { Cluster, named, route, rule } from '../../test/fake/cluster.ts'
import type { Written } from '../../test/fake/world.ts'

const PUBLIC = { public: true }

function secret(name: string, { cert, key }: Pair): Written {
  return {
    kind: 'Secret',
    metadata: named(name),
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': cert, 'tls.key': key },
  }
}

function shown(name: string, hosts: readonly string[], tls: object | null): Written {
  return route(name, [rule('one')], { ...PUBLIC, hosts, ...(tls === null ? {} : { tls }) })
}

function by(...names: readonly string[]): object {
  return { certificates: names.map((name) => ({ secretRef: { name } })) }
}

function tlsOf(cluster: Cluster, host: string): HostTls | null {
  const object = cluster.object(`tls ${host}`)
  return object?.kind === 'tls' ? object.value : null
}

test('a certificate that cannot be used closes TLS of its host alone', async () => {
  const [one, two] = [await certificateFor(['one.test']), await certificateFor(['two.test'])]
  const cluster = new Cluster().apply(
    secret('a/one', one),
    secret('a/mixed', { cert: one.cert, key: two.key }),
    shown('a/good', ['good.test'], by('one')),
    shown('a/mixed', ['mixed.test'], by('mixed', 'one')),
    shown('a/bad', ['bad.test'], by('nobody')),
  )
  assert.deepEqual(tlsOf(cluster, 'good.test'), { certificates: ['a/one'], http: 'redirect' })
  assert.deepEqual(tlsOf(cluster, 'mixed.test'), { certificates: ['a/one'], http: 'redirect' })
  assert.deepEqual(tlsOf(cluster, 'bad.test'), { certificates: [], http: 'redirect' })
  assert.equal(cluster.accepted('ApiRoute a/good'), 'Accepted')
  assert.match(
    cluster.accepted('ApiRoute a/mixed'),
    /^PartiallyAccepted: spec\.tls\.certificates\[0\]\.secretRef: .*does not belong/,
  )
  assert.match(
    cluster.accepted('ApiRoute a/bad'),
    /^PartiallyAccepted: .*There is no Secret "nobody"/,
  )
  assert.equal(cluster.rule('a/bad/one').action.kind, 'respond')
  cluster.apply(secret('a/nobody', two))
  assert.deepEqual(tlsOf(cluster, 'bad.test')?.certificates, ['a/nobody'])
  assert.equal(cluster.accepted('ApiRoute a/bad'), 'Accepted')
})

test('the oldest word on a host holds, and the younger is told', async () => {
  const cluster = new Cluster().apply(
    secret('a/one', await certificateFor(['one.test'])),
    shown('a/silent', ['one.test'], null),
    shown('a/first', ['one.test'], by('one')),
    shown('a/same', ['one.test'], by('one')),
    shown('a/late', ['one.test', 'own.test'], { http: 'refuse' }),
  )
  assert.deepEqual(tlsOf(cluster, 'one.test'), { certificates: ['a/one'], http: 'redirect' })
  assert.deepEqual(tlsOf(cluster, 'own.test'), { certificates: [], http: 'refuse' })
  for (const name of ['silent', 'first', 'same']) {
    assert.equal(cluster.accepted(`ApiRoute a/${name}`), 'Accepted', name)
  }
  assert.match(cluster.accepted('ApiRoute a/late'), /^PartiallyAccepted: spec\.tls: Route "first"/)
  cluster.remove('ApiRoute', 'a', 'first').remove('ApiRoute', 'a', 'same')
  assert.equal(tlsOf(cluster, 'one.test')?.http, 'refuse')
  assert.equal(cluster.accepted('ApiRoute a/late'), 'Accepted')
})

test("a host below another namespace's wildcard has nothing of its TLS", async () => {
  const cluster = new Cluster().apply(
    shown('b/own', ['x.shop.test'], null),
    secret('a/wild', await certificateFor(['*.shop.test'])),
    shown('a/wild', ['*.shop.test'], by('wild')),
    shown('a/below', ['y.shop.test'], null),
  )
  assert.deepEqual(tlsOf(cluster, 'x.shop.test'), { certificates: [], http: 'serve' })
  assert.equal(tlsOf(cluster, 'y.shop.test'), null)
})
