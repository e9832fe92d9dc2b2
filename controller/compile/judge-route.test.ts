/**
 * Verdicts on routes, gateway by gateway.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cluster, GATEWAY, named, route, rule } from '../../test/fake/cluster.ts'

const OPEN = { public: true }
const ID = 'ApiRoute a/r'

function places(cluster: Cluster, id = ID): string[] {
  return cluster.verdict(id).targets.map(({ target, accepted, gateways, programmed }) => {
    const where = `${target.kind} ${target.namespace}/${target.name}`
    return `${where}: ${accepted.reason}, ${gateways.join(' ') || 'nowhere'}, ${programmed?.reason ?? 'as data planes say'}`
  })
}

test('a route that runs as written is accepted on its gateway', () => {
  const cluster = new Cluster().apply(route('a/r', [rule('one')], OPEN))
  assert.equal(cluster.accepted(ID), 'Accepted')
  assert.deepEqual(places(cluster), [
    `ApiGateway ${GATEWAY}: Accepted, ${GATEWAY}, as data planes say`,
  ])
})

test('a host of another namespace is told with its owner', () => {
  const hosts = ['x.example.com', 'y.example.com']
  const cluster = new Cluster().apply(
    route('b/first', [rule('one')], { ...OPEN, hosts: ['x.example.com'] }),
    route('a/r', [rule('one')], { ...OPEN, hosts }),
  )
  assert.match(
    cluster.accepted(ID),
    /^PartiallyAccepted: spec\.hosts\[0\]: "x\.example\.com" belongs to namespace b, whose route b\/first/,
  )
  assert.equal(cluster.host('y.example.com')?.namespace, 'a')
  cluster.apply(route('a/r', [rule('one')], { ...OPEN, hosts: ['x.example.com'] }))
  assert.match(cluster.accepted(ID), /^HostNotOwned: /)
  assert.deepEqual(places(cluster), [`ApiGateway ${GATEWAY}: HostNotOwned, nowhere, NotAccepted`])
})

test('a gateway that is not there, or does not serve the namespace, is told by position', () => {
  const gateways = [named('sys/closed'), named('sys/none'), named(GATEWAY)]
  const dataPlanes = { serviceAccount: 'x', service: 'x' }
  const selector = { matchLabels: { t: '1' } }
  const cluster = new Cluster().apply(
    {
      kind: 'ApiGateway',
      metadata: named('sys/closed'),
      spec: { dataPlanes, allowedNamespaces: { selector } },
    },
    route('a/r', [rule('one')], { ...OPEN, gateways }),
  )
  assert.deepEqual(
    cluster.verdict(ID).problems.map(({ path, reason }) => `${path} ${reason}`),
    ['spec.gateways[0] RefNotPermitted', 'spec.gateways[1] TargetNotFound'],
  )
  assert.deepEqual(places(cluster), [
    'ApiGateway sys/closed: RefNotPermitted, nowhere, NotAccepted',
    'ApiGateway sys/none: TargetNotFound, nowhere, NotAccepted',
    `ApiGateway ${GATEWAY}: Accepted, ${GATEWAY}, as data planes say`,
  ])
  assert.equal(cluster.verdict(ID).accepted.reason, 'PartiallyAccepted')
})

test('rules without a policy are told once, whatever the number of gateways', () => {
  const dataPlanes = { serviceAccount: 'x', service: 'x' }
  const gateways = [named('sys/two'), named(GATEWAY)]
  const cluster = new Cluster().apply(
    { kind: 'ApiGateway', metadata: named('sys/two'), spec: { dataPlanes } },
    route('a/r', [rule('one'), rule('two', OPEN)], { gateways }),
  )
  assert.deepEqual(
    cluster.verdict(ID).problems.map(({ path, reason }) => `${path} ${reason}`),
    ['spec.rules[0] PolicyMissing'],
  )
  assert.equal(cluster.verdict(ID).accepted.reason, 'PartiallyAccepted')
  cluster.apply(route('a/r', [rule('one')], { gateways }))
  assert.equal(cluster.verdict(ID).accepted.reason, 'PolicyMissing')
})

test('a rule whose backends are all missing does not work', () => {
  const backends = [{ service: { name: 'web', port: 80 } }]
  const dead = { name: 'one', match: [{ path: '/one' }], backends }
  const cluster = new Cluster().apply(route('a/r', [dead], OPEN))
  assert.match(
    cluster.accepted(ID),
    /^BackendNotFound: spec\.rules\[0\]\.backends\[0\]\.service\.name/,
  )
  cluster.apply(route('a/r', [dead, rule('two')], OPEN))
  assert.match(cluster.accepted(ID), /^PartiallyAccepted: /)
})

test('nothing of a route that was never valid is programmed', () => {
  const cluster = new Cluster().apply(route('a/r', [rule('one', { respond: 7 })], OPEN))
  assert.deepEqual(places(cluster), [`ApiGateway ${GATEWAY}: Invalid, ${GATEWAY}, NotAccepted`])
})

test('what runs of a last valid route is for the data planes to say', () => {
  const cluster = new Cluster().apply(route('a/r', [rule('one')], OPEN))
  cluster.apply(route('a/r', [rule('one', { respond: 7 })], OPEN))
  assert.deepEqual(places(cluster), [
    `ApiGateway ${GATEWAY}: Invalid, ${GATEWAY}, as data planes say`,
  ])
})
