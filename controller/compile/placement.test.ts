/**
 * Where routes are served, and what a host lists.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cluster, GATEWAY, named, route, rule } from '../../test/fake/cluster.ts'
import type { Written } from '../../test/fake/world.ts'

const OPEN = { public: true }
const hosted = (...hosts: string[]) => ({ ...OPEN, hosts })

function gateway(key: string, spec: object): Written {
  const dataPlanes = { serviceAccount: 'fairlead', service: 'fairlead' }
  return { kind: 'ApiGateway', metadata: named(key), spec: { dataPlanes, ...spec } }
}

function entries(cluster: Cluster, host: string): string[] {
  return (cluster.host(host)?.entries ?? []).map(({ rule: key, match }) => `${key}#${match}`)
}

test('only hosts touched are sorted again', () => {
  const cluster = new Cluster().apply(
    route('a/r', [rule('one')], hosted('x.example.com')),
    route('a/s', [rule('one')], hosted('y.example.com')),
  )
  const before = ['x', 'y'].map((name) => cluster.object(`host ${name}.example.com`))
  cluster.apply(route('a/r', [rule('one'), rule('two')], hosted('x.example.com')))
  const after = ['x', 'y'].map((name) => cluster.object(`host ${name}.example.com`))
  assert.notEqual(after[0], before[0])
  assert.equal(after[1], before[1])
  cluster.apply(route('a/s', [rule('one', { respond: { status: 204 } })], hosted('y.example.com')))
  assert.equal(cluster.object('host y.example.com'), before[1], 'its entries are the same')
})

test('a host lists the matches of all routes of its owner in final precedence', () => {
  const two = { match: [{ path: '/**' }, { path: '/one', method: 'GET' }] }
  const cluster = new Cluster().apply(
    route('a/r', [rule('all', two)], hosted('x.example.com')),
    route('a/s', [rule('one')], hosted('x.example.com', 'y.example.com')),
    route('b/t', [rule('one')], hosted('x.example.com')),
  )
  assert.deepEqual(entries(cluster, 'x.example.com'), ['a/r/all#1', 'a/s/one#0', 'a/r/all#0'])
  assert.deepEqual(entries(cluster, 'y.example.com'), ['a/s/one#0'])
  assert.equal(cluster.object('rule b/t/one'), null)
})

test('a route without hosts is for any host that no other namespace owns', () => {
  const cluster = new Cluster().apply(
    route('a/r', [rule('one')], OPEN),
    route('b/s', [rule('one')], OPEN),
  )
  assert.deepEqual(entries(cluster, '*'), ['a/r/one#0'])
  assert.match(cluster.accepted('ApiRoute b/s'), /^HostNotOwned: spec\.hosts: "\*" .*route a\/r/)
})

test('a host goes to the next when its owner leaves', () => {
  const cluster = new Cluster().apply(
    route('a/r', [rule('one')], hosted('x.example.com')),
    route('b/s', [rule('one')], hosted('x.example.com')),
  )
  assert.equal(cluster.host('x.example.com')?.namespace, 'a')
  cluster.remove('ApiRoute', 'a', 'r')
  assert.equal(cluster.host('x.example.com')?.namespace, 'b')
  assert.equal(cluster.accepted('ApiRoute b/s'), 'Accepted')
})

test('a route is served by every gateway that it names and that admits it', () => {
  const gateways = [named('sys/one'), named('sys/two'), named('sys/none')]
  const cluster = new Cluster().apply(
    gateway('sys/one', {}),
    gateway('sys/two', { allowedNamespaces: { selector: { matchLabels: { t: '1' } } } }),
    route('a/r', [rule('one')], { ...OPEN, gateways }),
  )
  const served = () => ['sys/one', 'sys/two', GATEWAY].map((key) => cluster.host('*', key) !== null)
  assert.deepEqual(served(), [true, false, false])
  cluster.apply({ kind: 'Namespace', metadata: { name: 'a', labels: { t: '1' } } })
  assert.deepEqual(served(), [true, true, false])
})

test('a host that is granted to others does not fall to the wildcard over it', () => {
  const cluster = new Cluster().apply(
    gateway(GATEWAY, {
      hosts: {
        grants: [
          { host: 'x.example.com', namespaces: ['b'] },
          { host: 'y.example.com', namespaces: ['b', 'a'] },
          { host: 'z.other.com', namespaces: ['b'] },
        ],
      },
    }),
    route('a/r', [rule('one')], hosted('*.example.com')),
  )
  assert.deepEqual(cluster.host('x.example.com'), { namespace: 'b', entries: [] })
  assert.equal(
    cluster.host('y.example.com'),
    null,
    'it is granted to the owner of the wildcard too',
  )
  assert.equal(cluster.host('z.other.com'), null, 'nothing would fall anywhere')
  cluster.apply(route('b/s', [rule('one')], hosted('x.example.com')))
  assert.deepEqual(entries(cluster, 'x.example.com'), ['b/s/one#0'])
})
