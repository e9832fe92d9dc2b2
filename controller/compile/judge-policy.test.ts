/**
 * Verdicts on policies, target by target.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  authPolicy,
  Cluster,
  GATEWAY,
  GUEST,
  JWT,
  limitPolicy,
  named,
  route,
  rule,
  toRoute,
} from '../../test/fake/cluster.ts'

const NAMESPACE = { kind: 'Namespace', name: 'a' }
const CONDITION = { require: 'true' }

function places(cluster: Cluster, id: string): string[] {
  return cluster.verdict(id).targets.map(({ target, accepted, gateways, programmed }) => {
    const section = target.sectionName === null ? '' : `#${target.sectionName}`
    const where = `${target.kind} ${target.name}${section}`
    return `${where}: ${accepted.reason}, ${gateways.join(' ') || 'nowhere'}, ${programmed?.reason ?? 'as data planes say'}`
  })
}

function withRoutes(): Cluster {
  return new Cluster().apply(route('a/r', [rule('one'), rule('two')]), route('a/s', [rule('one')]))
}

test('a policy is judged at each target, and carried by the gateways that serve it', () => {
  const targets = [toRoute('r#one'), toRoute('none'), toRoute('r#three'), NAMESPACE]
  const cluster = withRoutes().apply(authPolicy('a/p', targets, { authenticate: JWT }))
  assert.deepEqual(places(cluster, 'AuthPolicy a/p'), [
    `ApiRoute r#one: Accepted, ${GATEWAY}, as data planes say`,
    'ApiRoute none: TargetNotFound, nowhere, NotAccepted',
    'ApiRoute r#three: TargetNotFound, nowhere, NotAccepted',
    `Namespace a: Accepted, ${GATEWAY}, as data planes say`,
  ])
  assert.match(
    cluster.accepted('AuthPolicy a/p'),
    /^PartiallyAccepted: spec\.targetRefs\[1\]\.name: There is no ApiRoute "none"/,
  )
})

test('only the own namespace and its gateways can be targets', () => {
  const targets = [
    { kind: 'Namespace', name: 'b' },
    { kind: 'ApiGateway', name: 'default' },
  ]
  const cluster = withRoutes().apply(
    authPolicy('a/p', targets, { authenticate: JWT }),
    authPolicy('fairlead-system/g', [{ kind: 'ApiGateway', name: 'default' }], {
      authenticate: JWT,
    }),
  )
  assert.deepEqual(places(cluster, 'AuthPolicy a/p'), [
    'Namespace b: RefNotPermitted, nowhere, NotAccepted',
    'ApiGateway default: TargetNotFound, nowhere, NotAccepted',
  ])
  assert.equal(cluster.verdict('AuthPolicy a/p').accepted.reason, 'RefNotPermitted')
  assert.deepEqual(places(cluster, 'AuthPolicy fairlead-system/g'), [
    `ApiGateway default: Accepted, ${GATEWAY}, as data planes say`,
  ])
  assert.equal(cluster.auth('a/r/one'), 'fairlead-system/g/defaults')
})

test('the younger of two is told of the older, at that target only', () => {
  const targets = [toRoute('r'), toRoute('s')]
  const cluster = withRoutes().apply(
    authPolicy('a/old', [toRoute('r')], { authenticate: JWT }),
    authPolicy('a/new', targets, { authenticate: GUEST, authorize: { x: CONDITION } }),
  )
  assert.deepEqual(places(cluster, 'AuthPolicy a/new'), [
    `ApiRoute r: Conflicted, ${GATEWAY}, as data planes say`,
    `ApiRoute s: Accepted, ${GATEWAY}, as data planes say`,
  ])
  assert.match(
    cluster.accepted('AuthPolicy a/new'),
    /^PartiallyAccepted: spec\.targetRefs\[0\]: AuthPolicy a\/old, which is older, already states authenticate/,
  )
  assert.equal(cluster.accepted('AuthPolicy a/old'), 'Accepted')
  const { auth } = cluster.rule('a/r/one')
  assert.ok(auth.kind === 'policy')
  assert.deepEqual([auth.authenticate, auth.authorize], ['a/old/defaults', ['a/new/x']])
  assert.equal(cluster.auth('a/s/one'), 'a/new/defaults')
})

test('a policy that is closed from above is overridden, by name, while all of it is closed', () => {
  const gateway = [{ kind: 'ApiGateway', name: 'default' }]
  const cluster = withRoutes().apply(
    authPolicy('fairlead-system/g', gateway, { overrides: { authenticate: JWT } }),
    authPolicy('a/p', [toRoute('r')], { authenticate: GUEST }),
    authPolicy('a/q', [toRoute('r#one')], { authenticate: GUEST, authorize: { x: CONDITION } }),
  )
  assert.deepEqual(places(cluster, 'AuthPolicy a/p'), [
    `ApiRoute r: Accepted, ${GATEWAY}, Overridden`,
  ])
  const [target] = cluster.verdict('AuthPolicy a/p').targets
  assert.match(
    target?.programmed?.message ?? '',
    /Overrides of AuthPolicy fairlead-system\/g close/,
  )
  assert.deepEqual(places(cluster, 'AuthPolicy a/q'), [
    `ApiRoute r#one: Accepted, ${GATEWAY}, as data planes say`,
  ])
})

test('a route below can override a rule, and a namespace a route', () => {
  const overrides = { overrides: { limits: { all: { rate: '5/1s' } } } }
  const cluster = withRoutes().apply(
    limitPolicy('a/n', [NAMESPACE], overrides),
    limitPolicy('a/r', [toRoute('r')], { limits: { all: { rate: '9/1s' } } }),
    limitPolicy('a/s', [toRoute('s')], { overrides: { limits: { other: { rate: '9/1s' } } } }),
    limitPolicy('a/t', [toRoute('s#one')], { limits: { other: { rate: '1/1s' } } }),
  )
  assert.deepEqual(places(cluster, 'RateLimitPolicy a/r'), [
    `ApiRoute r: Accepted, ${GATEWAY}, Overridden`,
  ])
  assert.deepEqual(places(cluster, 'RateLimitPolicy a/t'), [
    `ApiRoute s#one: Accepted, ${GATEWAY}, Overridden`,
  ])
  assert.deepEqual(places(cluster, 'RateLimitPolicy a/n'), [
    `Namespace a: Accepted, ${GATEWAY}, as data planes say`,
  ])
})

test('a policy that cannot be enforced is accepted nowhere', () => {
  const pepper = { k: { apiKey: { formats: ['imported'], pepperSecretRef: { name: 'pepper' } } } }
  const cluster = withRoutes().apply(authPolicy('a/p', [toRoute('r')], { authenticate: pepper }))
  assert.match(cluster.accepted('AuthPolicy a/p'), /^SecretInvalid: /)
  assert.deepEqual(places(cluster, 'AuthPolicy a/p'), [
    `ApiRoute r: SecretInvalid, ${GATEWAY}, NotAccepted`,
  ])
  assert.equal(cluster.verdict('AuthPolicy a/p').runs, 'nothing')
})

test('a route that no gateway serves has a policy that nobody carries', () => {
  const cluster = withRoutes().apply(
    route('a/lost', [rule('one')], { gateways: [named('sys/none')] }),
    authPolicy('a/p', [toRoute('lost')], { authenticate: JWT }),
  )
  assert.deepEqual(places(cluster, 'AuthPolicy a/p'), [
    'ApiRoute lost: Accepted, nowhere, as data planes say',
  ])
})
