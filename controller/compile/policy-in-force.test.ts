/**
 * What a policy states, and what it becomes in a table.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authPolicy, Cluster, GUEST, JWT, route, rule, toRoute } from '../../test/fake/cluster.ts'

const CONDITION = { require: 'true' }

function withRoute(): Cluster {
  return new Cluster().apply(route('a/r', [rule('one')]))
}

test('a policy that is invalid in any part is unusable', () => {
  const bad = { authorize: { x: { require: 'nope(' } } }
  for (const spec of [
    { authenticate: JWT, ...bad },
    { authenticate: JWT, overrides: bad },
    { defaults: { authenticate: JWT }, overrides: { authorize: { x: { disabled: true } } } },
    { authenticate: JWT, unknown: 1 },
  ]) {
    const cluster = withRoute().apply(authPolicy('a/p', [toRoute('r')], spec))
    assert.equal(cluster.auth('a/r/one'), 'policy-invalid')
    assert.equal(cluster.verdict('AuthPolicy a/p').runs, 'nothing')
  }
})

test('bare fields are the defaults', () => {
  const bare = withRoute().apply(authPolicy('a/p', [toRoute('r')], { authenticate: JWT }))
  const defaults = { defaults: { authenticate: JWT } }
  const written = withRoute().apply(authPolicy('a/p', [toRoute('r')], defaults))
  assert.equal(bare.auth('a/r/one'), 'a/p/defaults')
  assert.equal(written.auth('a/r/one'), 'a/p/defaults')
})

test('where both parts of a policy state a name, the override is what the table holds', () => {
  const cluster = withRoute().apply(
    authPolicy('a/p', [toRoute('r')], {
      defaults: { authenticate: GUEST, authorize: { x: CONDITION } },
      overrides: { authenticate: JWT, authorize: { x: { require: 'false' } } },
    }),
  )
  assert.equal(cluster.auth('a/r/one'), 'a/p/overrides')
  const entry = cluster.object('authorize a/p/x')
  assert.ok(entry?.kind === 'authorize' && entry.value.require === 'false')
  assert.equal(cluster.object('authenticate a/p/defaults'), null, 'nothing refers to it')
})

test('an entry that the overrides remove would open from above, and is refused', () => {
  const overrides = { authorize: { x: { disabled: true } } }
  const cluster = withRoute().apply(
    authPolicy('a/p', [toRoute('r')], { authenticate: JWT, overrides }),
  )
  assert.match(
    cluster.accepted('AuthPolicy a/p'),
    /^Invalid: spec\.overrides\.authorize\.x: Only a default/,
  )
})

test('the objects of a policy name it, in the generation that runs', () => {
  const cluster = withRoute()
  cluster.apply(authPolicy('a/p', [toRoute('r')], { authenticate: JWT }))
  cluster.apply(
    authPolicy('a/p', [toRoute('r')], { authenticate: JWT, authorize: { x: CONDITION } }),
  )
  const unit = cluster.object('authenticate a/p/defaults')
  assert.deepEqual(
    unit?.sources.map(({ kind, name, generation }) => [kind, name, generation]),
    [['AuthPolicy', 'a/p', 2]],
  )
})

test('a policy that applies without an object of its own is carried by the rule', () => {
  const cluster = withRoute().apply(
    authPolicy('a/n', [{ kind: 'Namespace', name: 'a' }], { overrides: { authenticate: JWT } }),
    authPolicy('a/p', [toRoute('r')], { authenticate: GUEST }),
  )
  const names = cluster.object('rule a/r/one')?.sources.map(({ name }) => name)
  assert.deepEqual(names, ['a/r', 'a/p'])
})
