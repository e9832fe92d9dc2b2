/**
 * What an ApiGateway becomes, and what is closed where it is invalid.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cluster, GATEWAY, named, route, rule } from '../../test/fake/cluster.ts'
import type { Written } from '../../test/fake/world.ts'

const DATA_PLANES = { serviceAccount: 'fairlead', service: 'fairlead' }

function gateway(spec: object): Written {
  return {
    kind: 'ApiGateway',
    metadata: named(GATEWAY),
    spec: { dataPlanes: DATA_PLANES, ...spec },
  }
}

function slice(name: string, endpoints: readonly unknown[], service = 'fairlead'): Written {
  const labels = { 'kubernetes.io/service-name': service }
  const metadata = { namespace: 'fairlead-system', name, labels }
  return { kind: 'EndpointSlice', metadata, endpoints }
}

function ready(uid: string, address: string, isReady = true): object {
  return { addresses: [address], conditions: { ready: isReady }, targetRef: { uid } }
}

function dataPlanes(cluster: Cluster): number {
  const object = cluster.object(`gateway ${GATEWAY}`)
  return object?.kind === 'gateway' ? object.value.dataPlanes : 0
}

test('dataPlanes counts ready members once, and never less than one', () => {
  const cluster = new Cluster()
  assert.equal(dataPlanes(cluster), 1)
  cluster.apply(
    slice('v4', [ready('a', '10.0.0.1'), ready('b', '10.0.0.2'), ready('c', '10.0.0.3', false)]),
    slice('v6', [ready('a', 'fd00::1'), ready('b', 'fd00::2')]),
    slice('other', [ready('d', '10.0.0.9')], 'other'),
  )
  assert.equal(dataPlanes(cluster), 2)
  cluster.apply(slice('v4', [{ addresses: ['10.0.0.1'] }, { addresses: [] }, 'strange']))
  cluster.remove('EndpointSlice', 'fairlead-system', 'v6')
  assert.equal(dataPlanes(cluster), 1, 'ready is what is not said to be unready')
})

test('what the operator trusts and allows is in the object of the gateway', () => {
  const cluster = new Cluster().apply(
    gateway({ trustedProxies: ['10.0.0.0/8'], egress: { allow: ['id.internal.example.com'] } }),
  )
  const object = cluster.object(`gateway ${GATEWAY}`)
  assert.ok(object?.kind === 'gateway')
  assert.deepEqual(object.value.trustedProxies, ['10.0.0.0/8'])
  assert.deepEqual(object.value.egressAllow, ['id.internal.example.com'])
})

test('listeners are in the object of the gateway, and absent where nothing is said', () => {
  const listeners = [
    { name: 'http', port: 8080, protocol: 'HTTP' },
    { name: 'https', port: 8443, protocol: 'HTTPS' },
  ]
  const cluster = new Cluster().apply(gateway({ listeners }))
  assert.match(cluster.accepted(`ApiGateway ${GATEWAY}`), /^Accepted/)
  const object = cluster.object(`gateway ${GATEWAY}`)
  assert.ok(object?.kind === 'gateway')
  assert.deepEqual(object.value.listeners, [
    { port: 8080, protocol: 'http' },
    { port: 8443, protocol: 'https' },
  ])
  cluster.apply(gateway({}))
  const without = cluster.object(`gateway ${GATEWAY}`)
  assert.ok(without?.kind === 'gateway' && !('listeners' in without.value))
})

test('what is invalid in a gateway is closed, and the rest of it stays in force', () => {
  const cluster = new Cluster().apply(
    gateway({
      trustedProxies: ['nonsense'],
      routeDefaults: { auth: 'perhaps' },
      hosts: { grants: [{ host: 'x.example.com', namespaces: ['a'] }, 7], ungranted: 'firstCome' },
      egress: { allow: ['id.internal.example.com'] },
    }),
    route('a/r', [rule('one')], { hosts: ['x.example.com', 'y.example.com'] }),
  )
  const object = cluster.object(`gateway ${GATEWAY}`)
  assert.ok(object?.kind === 'gateway')
  assert.deepEqual(object.value.trustedProxies, [])
  assert.deepEqual(object.value.egressAllow, ['id.internal.example.com'])
  assert.equal(cluster.auth('a/r/one'), 'policy-missing')
  assert.equal(cluster.host('x.example.com')?.namespace, 'a')
  assert.equal(cluster.host('y.example.com'), null)
})

test('allowedNamespaces that cannot be read allow none', () => {
  const cluster = new Cluster().apply(
    gateway({ allowedNamespaces: { selector: { matchLabels: { team: 7 } } } }),
    route('a/r', [rule('one')], { public: true }),
  )
  assert.match(cluster.accepted('ApiRoute a/r'), /^RefNotPermitted/)
})
