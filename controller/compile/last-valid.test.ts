/**
 * Which spec of an object runs, update by update.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authPolicy, Cluster, GUEST, JWT, route, rule, toRoute } from '../../test/fake/cluster.ts'

const BAD = { match: [{ path: '/bad', when: 'nope(' }] }
const OPEN = { public: true }

function status(cluster: Cluster, key: string): number | string {
  const { action } = cluster.rule(key)
  return action.kind === 'respond' ? action.status : action.kind
}

test('an invalid update keeps the whole last valid spec', () => {
  const cluster = new Cluster().apply(route('a/r', [rule('one'), rule('two')], OPEN))
  cluster.apply(route('a/r', [rule('one', { respond: { status: 418 } }), rule('two', BAD)], OPEN))
  assert.equal(status(cluster, 'a/r/one'), 200)
  assert.equal(status(cluster, 'a/r/two'), 200)
  const verdict = cluster.verdict('ApiRoute a/r')
  assert.equal(verdict.runs, 'lastValid')
  assert.equal(verdict.generation, 2)
  assert.match(
    cluster.accepted('ApiRoute a/r'),
    /^InvalidExpression: .*Generation 1, the last valid/,
  )
  assert.deepEqual(
    cluster.object('rule a/r/one')?.sources.map(({ generation }) => generation),
    [1],
  )
  const [remembering] = cluster.compiled.remembering
  assert.equal(
    `${remembering?.kind} ${remembering?.namespace}/${remembering?.name}`,
    'ApiRoute a/r',
  )
  assert.equal(remembering?.generation, 1)
})

test('a mended object runs its own spec again, and nothing has to be stored any more', () => {
  const cluster = new Cluster().apply(route('a/r', [rule('one')], OPEN))
  cluster.apply(route('a/r', [rule('one', BAD)], OPEN))
  cluster.apply(route('a/r', [rule('one', { respond: { status: 204 } })], OPEN))
  assert.equal(status(cluster, 'a/r/one'), 204)
  assert.equal(cluster.accepted('ApiRoute a/r'), 'Accepted')
  assert.deepEqual(cluster.compiled.remembering, [])
})

test('the last valid spec outlives several invalid ones and a restart', () => {
  const cluster = new Cluster().apply(route('a/r', [rule('one')], OPEN))
  cluster.apply(route('a/r', [rule('one', BAD)], OPEN))
  cluster.apply(route('a/r', [rule('one', { respond: { status: 'x' } })], OPEN)).restart()
  assert.equal(status(cluster, 'a/r/one'), 200)
  assert.equal(cluster.verdict('ApiRoute a/r').runs, 'lastValid')
})

test('what other objects say never brings back a last valid spec', () => {
  const backends = [{ service: { name: 'web', port: 80 } }]
  const proxied = { name: 'one', match: [{ path: '/' }], backends }
  const cluster = new Cluster().apply(
    { kind: 'Service', metadata: { namespace: 'a', name: 'web' }, spec: { ports: [{ port: 80 }] } },
    route('a/r', [proxied], OPEN),
  )
  cluster.remove('Service', 'a', 'web')
  assert.equal(cluster.verdict('ApiRoute a/r').runs, 'current')
  assert.match(cluster.accepted('ApiRoute a/r'), /^BackendNotFound: /)
})

test('an object made anew under the name is another one', () => {
  const cluster = new Cluster().apply(route('a/r', [rule('one')], OPEN))
  cluster.world.remove('ApiRoute', 'a', 'r')
  cluster.apply(route('a/r', [rule('one', BAD)], OPEN))
  assert.equal(cluster.verdict('ApiRoute a/r').runs, 'nothing')
})

test('where nothing is remembered, what is valid runs and the rest rejects', () => {
  const cluster = new Cluster().apply(route('a/r', [rule('one'), rule('two', BAD)], OPEN))
  assert.equal(status(cluster, 'a/r/one'), 200)
  const { action } = cluster.rule('a/r/two')
  assert.ok(action.kind === 'reject' && action.status === 500 && action.cause === 'rule-invalid')
  assert.match(cluster.accepted('ApiRoute a/r'), /^PartiallyAccepted: spec\.rules\[1\]/)
})

test('an invalid update of a policy leaves its targets and what it states in force', () => {
  const cluster = new Cluster().apply(route('a/r', [rule('one')]))
  cluster.apply(authPolicy('a/p', [toRoute('r')], { authenticate: JWT }))
  cluster.apply(authPolicy('a/p', [toRoute('other')], { authenticate: { x: { basic: {} } } }))
  assert.equal(cluster.auth('a/r/one'), 'a/p/defaults')
  assert.equal(cluster.verdict('AuthPolicy a/p').runs, 'lastValid')
  assert.deepEqual(
    cluster.verdict('AuthPolicy a/p').targets.map(({ target }) => target.name),
    ['r'],
  )
})

test('a policy that was never valid closes exactly what it targets', () => {
  const cluster = new Cluster().apply(route('a/r', [rule('one'), rule('two')], OPEN))
  cluster.apply(authPolicy('a/p', [toRoute('r#one')], { authenticate: { x: { basic: {} } } }))
  assert.equal(cluster.auth('a/r/one'), 'policy-invalid')
  assert.equal(cluster.auth('a/r/two'), 'open')
})

test('a check that is newer than an accepted spec only warns', () => {
  const cluster = new Cluster().apply(
    route('a/r', [rule('one'), rule('two', BAD)], OPEN),
    authPolicy('a/p', [toRoute('r')], { authenticate: GUEST }),
  )
  const snapshot = cluster.world.snapshot()
  const resource = snapshot.kinds.ApiRoute.get('a')?.get('r')
  assert.ok(resource !== undefined)
  const { uid, generation, content } = resource
  const memory = new Map([['ApiRoute a/r', { uid, generation, spec: content['spec'] }]])
  cluster.world.remember(memory)
  cluster.apply(route('a/s', [rule('one')], OPEN))
  const verdict = cluster.verdict('ApiRoute a/r')
  assert.equal(verdict.accepted.reason, 'Accepted')
  assert.equal(verdict.runs, 'current')
  assert.deepEqual(
    verdict.problems.map(({ severity }) => severity),
    ['warning'],
  )
})
