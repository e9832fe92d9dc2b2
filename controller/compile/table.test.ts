/**
 * What a table holds, and what keeps its identity.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check } from '#wire/check'
import { xorOf } from '#wire/digest'
import {
  authPolicy,
  Cluster,
  GATEWAY,
  JWT,
  named,
  route,
  rule,
  toRoute,
} from '../../test/fake/cluster.ts'

const BACKENDS = [{ service: { name: 'web', port: 80 } }]
const proxied = (name: string) => ({ name, match: [{ path: `/${name}` }], backends: BACKENDS })
const SERVICE = {
  kind: 'Service',
  metadata: named('a/web'),
  spec: { clusterIP: '10.1.1.1', ports: [{ port: 80 }] },
} as const
const KEYS = { apiKey: { formats: ['fairlead', 'imported'], pepperSecretRef: { name: 'pepper' } } }
const PEPPER = {
  kind: 'Secret',
  metadata: named('a/pepper'),
  type: 'fairlead.dev/pepper',
  data: { pepper: 'c2VjcmV0' },
} as const

function kinds(cluster: Cluster): string[] {
  const table = cluster.compiled.tables.get(GATEWAY)
  return [...(table?.objects.keys() ?? [])].toSorted((a, b) => (a < b ? -1 : 1))
}

test('whatever an object refers to is in its table', () => {
  const cluster = new Cluster().apply(
    SERVICE,
    PEPPER,
    { kind: 'Consumer', metadata: named('a/acme'), spec: {} },
    {
      kind: 'ApiKey',
      metadata: named('a/k'),
      spec: { consumerRef: { name: 'acme' }, sha256: '0'.repeat(64) },
    },
    { kind: 'Consumer', metadata: named('b/other'), spec: {} },
    route('a/r', [proxied('one'), proxied('two')]),
    authPolicy('a/p', [toRoute('r')], { authenticate: { k: KEYS } }),
  )
  assert.deepEqual(kinds(cluster), [
    'apiKey a/k',
    'authenticate a/p/defaults',
    'backend a/web:80',
    'consumer a/acme',
    `gateway ${GATEWAY}`,
    'host *',
    'rule a/r/one',
    'rule a/r/two',
    'secret a/pepper:pepper',
  ])
  const table = cluster.compiled.tables.get(GATEWAY)
  assert.ok(table !== undefined)
  assert.equal(check(table.objects), null)
  assert.equal(table.hash, xorOf([...table.objects.values()].map(({ digest }) => digest)))
})

test('a secret is in the table sealed', () => {
  const cluster = new Cluster().apply(
    PEPPER,
    route('a/r', [rule('one')]),
    authPolicy('a/p', [toRoute('r')], { authenticate: { k: KEYS } }),
  )
  const before = cluster.object('secret a/pepper:pepper')
  assert.ok(before?.kind === 'secret')
  assert.ok(
    !JSON.stringify([...cluster.compiled.tables.values()][0]?.objects.values().toArray()).includes(
      'c2VjcmV0',
    ),
  )
  cluster.apply({ ...PEPPER, data: { pepper: 'b3RoZXI=' } })
  assert.notEqual(cluster.object('secret a/pepper:pepper')?.digest, before.digest)
})

test('a Service that changes touches its backend and nothing else', () => {
  const cluster = new Cluster().apply(SERVICE, route('a/r', [proxied('one')], { public: true }))
  const before = cluster.compiled.tables.get(GATEWAY)?.objects
  cluster.apply({ ...SERVICE, spec: { ...SERVICE.spec, clusterIP: '10.1.1.2' } })
  const after = cluster.compiled.tables.get(GATEWAY)?.objects
  const changed = [...(after ?? [])].filter(([id, object]) => before?.get(id) !== object)
  assert.deepEqual(
    changed.map(([id]) => id),
    ['backend a/web:80'],
  )
})

test('a table is gone with its gateway, and each gateway has its own', () => {
  const cluster = new Cluster().apply(
    {
      kind: 'ApiGateway',
      metadata: named('sys/two'),
      spec: { dataPlanes: { serviceAccount: 'x', service: 'x' } },
    },
    route('a/r', [rule('one')], { public: true, gateways: [named('sys/two')] }),
    route('a/s', [rule('one')], { public: true }),
    authPolicy('sys/p', [{ kind: 'ApiGateway', name: 'two' }], { authenticate: JWT }),
  )
  assert.equal(cluster.auth('a/r/one', 'sys/two'), 'sys/p/defaults')
  assert.equal(cluster.auth('a/s/one'), 'open')
  assert.equal(cluster.object('rule a/r/one'), null)
  cluster.remove('ApiGateway', 'sys', 'two')
  assert.deepEqual([...cluster.compiled.tables.keys()], [GATEWAY])
})

test('a backend that two routes name is one object, and a Service without a source is none', () => {
  const cluster = new Cluster().apply(
    SERVICE,
    route('a/r', [proxied('one')], { public: true }),
    route('a/s', [proxied('two')], { public: true }),
  )
  const backend = cluster.object('backend a/web:80')
  assert.ok(backend?.kind === 'backend')
  assert.deepEqual(backend.value, { protocol: 'http', clusterAddress: '10.1.1.1:80' })
  assert.deepEqual(
    backend.sources.map(({ kind, name }) => `${kind} ${name}`),
    ['Service a/web'],
  )
})
