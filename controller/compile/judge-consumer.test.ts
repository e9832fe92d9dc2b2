/**
 * Verdicts on Consumers: what their state does.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  authPolicy,
  Cluster,
  consumer,
  limitPolicy,
  route,
  rule,
  toRoute,
} from '../../test/fake/cluster.ts'

const KEYS = { k: { apiKey: {} } }

function cluster(state: 'Active' | 'Suspended'): Cluster {
  return new Cluster().apply(
    route('a/r', [rule('one')]),
    authPolicy('a/p', [toRoute('r')], { authenticate: KEYS }),
    consumer('a/acme', { state }),
  )
}

function told(of: Cluster): readonly string[] {
  return of
    .verdict('Consumer a/acme')
    .problems.map(({ severity, path, sentence }) => `${severity} ${path}: ${sentence}`)
}

test('a suspended Consumer is told when nothing asks for its state', () => {
  const made = cluster('Suspended')
  assert.match(told(made)[0] ?? '', /^warning spec\.state: No policy asks for consumer\.state/)
  assert.equal(made.accepted('Consumer a/acme'), 'Accepted')
  const authorize = { active: { require: 'consumer.state == "Active"' } }
  made.apply(authPolicy('a/p', [toRoute('r')], { authenticate: KEYS, authorize }))
  assert.deepEqual(told(made), [])
  made.remove('AuthPolicy', 'a', 'p')
  assert.equal(told(made).length, 1)
})

test('a limit or a route may ask for the state as well', () => {
  const limited = { l: { rate: '1/1m', when: 'consumer["state"] == "Suspended"' } }
  const made = cluster('Suspended').apply(limitPolicy('a/l', [toRoute('r')], { limits: limited }))
  assert.deepEqual(told(made), [])
  const header = { name: 'x-state', value: '${consumer.state}' }
  const routed = cluster('Suspended').apply(
    route('a/r', [rule('one', { responseHeaders: { set: [header] } })]),
  )
  assert.deepEqual(told(routed), [])
})

test('of an active Consumer nothing is said', () => {
  assert.deepEqual(told(cluster('Active')), [])
})
