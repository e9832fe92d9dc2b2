/**
 * What holds at the rules of a route that runs its last valid spec: the policies that attach now, and
 * of those that it had, whatever tightens.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  authPolicy,
  Cluster,
  GUEST,
  JWT,
  limitPolicy,
  named,
  route,
  rule,
  toRoute,
} from '../../test/fake/cluster.ts'

/** Renames rule `one` to `two` in an update that is invalid for another reason. */
const RENAMED = route('a/r', [rule('two'), rule('bad', { match: [{ path: '/b', when: 'nope(' }] })])
const DENY = { forbidden: { detail: 'Ask us.' } }
const OWN_NAMESPACE = { kind: 'Namespace', name: 'a' }

test('a rule keeps its policy when both are renamed in an update that is invalid', () => {
  const cluster = new Cluster().apply(
    route('a/r', [rule('one')]),
    authPolicy('a/p', [toRoute('r#one')], {
      authenticate: JWT,
      authorize: { x: { require: 'true' } },
    }),
    limitPolicy('a/l', [toRoute('r#one')], { limits: { all: { rate: '5/1s' } } }),
  )
  cluster.apply(
    RENAMED,
    authPolicy('a/p', [toRoute('r#two')], { authenticate: GUEST }),
    limitPolicy('a/l', [toRoute('r#two')], { limits: { all: { rate: '9/1s' } } }),
  )
  for (const _ of ['as it is', 'after a restart']) {
    assert.equal(cluster.auth('a/r/one'), 'a/p@1/defaults')
    const unit = cluster.object('authenticate a/p@1/defaults')
    assert.ok(unit?.kind === 'authenticate' && unit.value.entries[0]?.kind === 'jwt')
    const { auth, limits } = cluster.rule('a/r/one')
    assert.deepEqual(auth.kind === 'policy' ? auth.authorize : [], ['a/p@1/x'])
    assert.deepEqual(limits, ['a/l@1/all'])
    assert.ok(cluster.object('limit a/l@1/all') !== null)
    cluster.restart()
  }
})

test('a policy that follows early is told so, and closes nothing', () => {
  const cluster = new Cluster().apply(
    route('a/r', [rule('one', { public: true })]),
    authPolicy('a/p', [toRoute('r#two')], { authenticate: JWT }),
  )
  assert.equal(cluster.auth('a/r/one'), 'policy-invalid', 'the route has no such rule')
  cluster.apply(RENAMED)
  assert.equal(cluster.auth('a/r/one'), 'open')
  const [target] = cluster.verdict('AuthPolicy a/p').targets
  assert.equal(target?.accepted.reason, 'TargetNotFound')
  assert.match(target?.accepted.message ?? '', /runs its last valid spec, which has no rule "two"/)
})

test('what a more specific policy protected is not opened by what attaches now', () => {
  const cluster = new Cluster().apply(
    authPolicy('a/n', [OWN_NAMESPACE], { authenticate: GUEST }),
    route('a/r', [rule('one')]),
    authPolicy('a/p', [toRoute('r#one')], { authenticate: JWT }),
  )
  cluster.apply(RENAMED, authPolicy('a/p', [toRoute('r#two')], { authenticate: JWT }))
  assert.equal(cluster.auth('a/r/one'), 'a/p@1/defaults')
})

test('an exemption does not outlive its attachment', () => {
  const cluster = new Cluster().apply(
    authPolicy('a/n', [OWN_NAMESPACE], {
      authenticate: JWT,
      authorize: { x: { require: 'true' } },
    }),
    route('a/r', [rule('one')]),
    authPolicy('a/p', [toRoute('r#one')], {
      authenticate: GUEST,
      authorize: { x: { disabled: true } },
    }),
  )
  assert.equal(cluster.auth('a/r/one'), 'a/p/defaults')
  cluster.apply(RENAMED)
  assert.equal(cluster.auth('a/r/one'), 'a/p/defaults', 'it still attaches')
  cluster.apply(
    authPolicy('a/p', [toRoute('r#two')], {
      authenticate: GUEST,
      authorize: { x: { disabled: true } },
    }),
  )
  assert.equal(cluster.auth('a/r/one'), 'a/n/defaults')
  const { auth } = cluster.rule('a/r/one')
  assert.deepEqual(auth.kind === 'policy' ? auth.authorize : [], ['a/n/x'])
})

test('a policy that is deleted is gone, also for a last valid route', () => {
  const cluster = new Cluster().apply(
    route('a/r', [rule('one')]),
    authPolicy('a/p', [toRoute('r#one')], { authenticate: JWT }),
  )
  cluster.apply(RENAMED)
  cluster.remove('AuthPolicy', 'a', 'p')
  assert.equal(cluster.auth('a/r/one'), 'policy-missing')
  cluster.apply(authPolicy('a/p', [toRoute('other')], { authenticate: JWT }))
  assert.equal(cluster.auth('a/r/one'), 'policy-missing', 'another object of the same name')
})

test("a policy that still attaches says today's word, and its Secrets are today's", () => {
  const imported = { apiKey: { formats: ['imported'], pepperSecretRef: { name: 'pepper' } } }
  const pepper = {
    kind: 'Secret',
    metadata: named('a/pepper'),
    type: 'fairlead.dev/pepper',
    data: { pepper: 'c2VjcmV0' },
  } as const
  const cluster = new Cluster().apply(
    pepper,
    route('a/r', [rule('one')]),
    authPolicy('a/p', [toRoute('r#one')], { authenticate: { k: imported } }),
  )
  cluster.apply(RENAMED)
  assert.equal(cluster.auth('a/r/one'), 'a/p/defaults')
  cluster.apply(authPolicy('a/p', [toRoute('r#two')], { authenticate: { k: imported } }))
  assert.equal(cluster.auth('a/r/one'), 'a/p@1/defaults')
  assert.ok(cluster.object('secret a/pepper:pepper') !== null)
  cluster.remove('Secret', 'a', 'pepper')
  assert.equal(cluster.auth('a/r/one'), 'policy-invalid')
})

test('a policy that attaches to the rule in another way says nothing of what it said before', () => {
  const cluster = new Cluster().apply(
    route('a/r', [rule('one')]),
    authPolicy('a/p', [toRoute('r#one')], { authenticate: JWT }),
  )
  cluster.apply(RENAMED, authPolicy('a/p', [toRoute('r')], { authenticate: JWT, deny: DENY }))
  assert.equal(cluster.auth('a/r/one'), 'a/p/defaults')
  const { auth } = cluster.rule('a/r/one')
  assert.equal(auth.kind === 'policy' ? auth.deny : null, 'a/p/defaults')
})
