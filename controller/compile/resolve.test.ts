/**
 * References between objects, and who may make them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { World } from '../../test/fake/world.ts'
import { createMemo } from './memo.ts'
import type { Reader } from './reader.ts'
import { admits, gatewaysOf, grantsBy, selects, targetKey, targetOf } from './resolve.ts'

function readerOf(world: World): Reader {
  return createMemo().over(world.snapshot(), (at) => at.reader)
}

function grant(from: object, to: object): World {
  const spec = { from: [from], to: [to] }
  return new World().apply({
    kind: 'ReferenceGrant',
    metadata: { namespace: 'b', name: 'g' },
    spec,
  })
}

const ROUTES_OF_A = { group: 'fairlead.dev', kind: 'ApiRoute', namespace: 'a' }
const FROM = { kind: 'ApiRoute', namespace: 'a' } as const
const TO = { kind: 'Service', namespace: 'b', name: 'web' } as const

test('a reference to another namespace needs a grant there that fits', () => {
  const judge = (world: World) => grantsBy(readerOf(world)).refusal(FROM, TO)
  assert.equal(judge(grant(ROUTES_OF_A, { group: '', kind: 'Service' })), null)
  assert.equal(judge(grant(ROUTES_OF_A, { group: '', kind: 'Service', name: 'web' })), null)
  for (const world of [
    new World(),
    grant(ROUTES_OF_A, { group: '', kind: 'Service', name: 'other' }),
    grant(ROUTES_OF_A, { group: '', kind: 'Secret' }),
    grant(ROUTES_OF_A, { group: 'apps', kind: 'Service' }),
    grant({ ...ROUTES_OF_A, namespace: 'c' }, { group: '', kind: 'Service' }),
    grant({ ...ROUTES_OF_A, kind: 'AuthPolicy' }, { group: '', kind: 'Service' }),
    grant({ ...ROUTES_OF_A, group: 'gateway.networking.k8s.io' }, { group: '', kind: 'Service' }),
  ]) {
    assert.match(judge(world) ?? '', /create a ReferenceGrant in b from .*namespace: a.* to /)
  }
})

test('a grant for one object is none for a whole namespace', () => {
  const to = { kind: 'Consumer', namespace: 'b', name: null } as const
  const all = grant(ROUTES_OF_A, { group: 'fairlead.dev', kind: 'Consumer' })
  const one = grant(ROUTES_OF_A, { group: 'fairlead.dev', kind: 'Consumer', name: 'acme' })
  assert.equal(grantsBy(readerOf(all)).refusal(FROM, to), null)
  assert.match(grantsBy(readerOf(one)).refusal(FROM, to) ?? '', /any Consumer/)
})

test('the own namespace needs no grant, and a strange grant stops nobody', () => {
  const strange = grant({}, {})
  strange.apply({ kind: 'ReferenceGrant', metadata: { namespace: 'b', name: 'h' }, spec: 'what' })
  const own = { ...TO, namespace: 'a' }
  assert.equal(grantsBy(readerOf(strange)).refusal(FROM, own), null)
  assert.notEqual(grantsBy(readerOf(strange)).refusal(FROM, TO), null)
})

test('a route without gateways gets the default one, a gateway named twice counts once', () => {
  assert.deepEqual(gatewaysOf({}, 'a', 'sys/default'), [
    { namespace: 'sys', name: 'default', position: null },
  ])
  const gateways = [{ name: 'x' }, { name: 'x', namespace: 'a' }, { name: 'x', namespace: 'b' }]
  assert.deepEqual(gatewaysOf({ gateways }, 'a', 'sys/default'), [
    { namespace: 'a', name: 'x', position: 0 },
    { namespace: 'b', name: 'x', position: 2 },
  ])
})

test('labels are selected as Kubernetes selects them', () => {
  const labels = { team: 'a', tier: 'gold' }
  const expression = (key: string, operator: 'In' | 'NotIn', ...values: string[]) =>
    selects({ matchExpressions: [{ key, operator, values }] }, labels)
  assert.ok(selects({}, labels))
  assert.ok(selects({ matchLabels: { team: 'a' } }, labels))
  assert.ok(!selects({ matchLabels: { team: 'a', tier: 'silver' } }, labels))
  assert.ok(expression('tier', 'In', 'gold', 'silver'))
  assert.ok(!expression('none', 'In', 'gold'))
  assert.ok(expression('none', 'NotIn', 'gold'))
  assert.ok(!expression('tier', 'NotIn', 'gold'))
  assert.ok(selects({ matchExpressions: [{ key: 'team', operator: 'Exists' }] }, labels))
  assert.ok(!selects({ matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] }, labels))
})

test('a gateway admits namespaces by their labels, and by their names', () => {
  const world = new World().apply({
    kind: 'Namespace',
    metadata: { name: 'a', labels: { t: '1' } },
  })
  const by = (matchLabels: { readonly [name: string]: string }, namespace: string) =>
    admits({ selector: { matchLabels } }, namespace, readerOf(world))
  assert.equal(admits(undefined, 'anything', readerOf(world)), 'yes')
  assert.equal(by({ t: '1' }, 'a'), 'yes')
  assert.equal(by({ t: '1' }, 'b'), 'no')
  assert.equal(by({ 'kubernetes.io/metadata.name': 'b' }, 'b'), 'yes')
})

test('targets are in the namespace of the policy', () => {
  const route = targetOf({ kind: 'ApiRoute', name: 'r', sectionName: 's' }, 'a')
  assert.deepEqual(route, { kind: 'ApiRoute', namespace: 'a', name: 'r', sectionName: 's' })
  assert.equal(targetKey(route), 'ApiRoute/r')
  const namespace = targetOf({ kind: 'Namespace', name: 'a' }, 'a')
  assert.deepEqual(namespace, { kind: 'Namespace', namespace: '', name: 'a', sectionName: null })
})
