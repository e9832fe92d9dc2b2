/**
 * What is remembered from one snapshot to the next.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  authPolicy,
  Cluster,
  JWT,
  limitPolicy,
  route,
  rule,
  toRoute,
} from '../../test/fake/cluster.ts'

const LIMITS = { limits: { all: { rate: '5/1s' } } }

test('a valid spec is remembered with the policies that apply to it', () => {
  const cluster = new Cluster().apply(
    route('a/r', [rule('one')]),
    authPolicy('a/p', [toRoute('r#one')], { authenticate: JWT }),
    authPolicy('a/n', [{ kind: 'Namespace', name: 'a' }], { authenticate: JWT }),
    authPolicy('fairlead-system/g', [{ kind: 'ApiGateway', name: 'default' }], {
      authenticate: JWT,
    }),
    limitPolicy('a/l', [toRoute('r')], LIMITS),
    authPolicy('a/other', [toRoute('s')], { authenticate: JWT }),
    authPolicy('a/never-valid', [toRoute('r')], { authenticate: { x: { basic: {} } } }),
  )
  const { remembered } = cluster.compiled
  const memory = remembered.get('ApiRoute a/r')
  const said = memory?.policies?.map(
    ({ kind, name, target }) => `${kind} ${name} at ${target.kind} ${target.sectionName}`,
  )
  assert.deepEqual(
    said?.toSorted((a, b) => (a < b ? -1 : 1)),
    [
      'AuthPolicy g at ApiGateway null',
      'AuthPolicy n at Namespace null',
      'AuthPolicy p at ApiRoute one',
      'RateLimitPolicy l at ApiRoute null',
    ],
  )
  assert.equal(remembered.get('AuthPolicy a/p')?.generation, 1)
  assert.equal(remembered.get('AuthPolicy a/never-valid'), undefined)
})

test('what is remembered follows the objects, and keeps its identity while they rest', () => {
  const cluster = new Cluster().apply(
    route('a/r', [rule('one')]),
    authPolicy('a/p', [toRoute('r')], { authenticate: JWT }),
  )
  const before = cluster.compiled.remembered
  cluster.apply({ kind: 'Service', metadata: { namespace: 'a', name: 'web' } })
  assert.equal(cluster.compiled.remembered, before)
  cluster.apply(authPolicy('a/p', [toRoute('r#one')], { authenticate: JWT }))
  const [policy] = cluster.compiled.remembered.get('ApiRoute a/r')?.policies ?? []
  assert.equal(policy?.target.sectionName, 'one')
  cluster.remove('ApiRoute', 'a', 'r')
  assert.equal(cluster.compiled.remembered.has('ApiRoute a/r'), false)
})

test('what has to be stored is in an order that follows from the names', () => {
  const bad = { match: [{ path: '/b', when: 'nope(' }] }
  const cluster = new Cluster()
  for (const key of ['b/r', 'a/s', 'a/r']) cluster.apply(route(key, [rule('one')]))
  for (const key of ['b/r', 'a/s', 'a/r']) cluster.apply(route(key, [rule('one', bad)]))
  assert.deepEqual(
    cluster.compiled.remembering.map(({ namespace, name }) => `${namespace}/${name}`),
    ['a/r', 'a/s', 'b/r'],
  )
})
