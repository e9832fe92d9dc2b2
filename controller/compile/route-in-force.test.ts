/**
 * What a route becomes where parts of it cannot be executed.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cluster, route, rule } from '../../test/fake/cluster.ts'

const OPEN = { public: true }

function rejects(cluster: Cluster, key: string): string {
  const { action } = cluster.rule(key)
  return action.kind === 'reject' ? `${action.status} ${action.cause}` : 'no'
}

test('a broken rule rejects and its neighbours run', () => {
  const cluster = new Cluster().apply(
    route(
      'a/r',
      [
        rule('fine'),
        rule('shape', { respond: { status: 'many' } }),
        rule('expression', { match: [{ path: '/expression', when: 'nope(' }] }),
        rule('later', { cache: { ttl: '1s' }, respond: undefined }),
      ],
      OPEN,
    ),
  )
  assert.deepEqual(
    ['fine', 'shape', 'expression', 'later'].map((name) => rejects(cluster, `a/r/${name}`)),
    ['no', '500 rule-invalid', '500 rule-invalid', '500 rule-invalid'],
  )
  const listed = cluster.host('*')?.entries.map(({ rule: key }) => key)
  assert.ok(listed?.includes('a/r/shape') && listed.includes('a/r/expression'))
})

test('where a match cannot be read, no rule answers for what it was meant for', () => {
  const wide = rule('wide', { ...OPEN, match: [{ path: '/**' }] })
  for (const match of [
    [{ path: '/ok' }, { path: 'admin/**' }],
    [{ path: '/ok' }, { pth: '/admin' }],
    [{ headers: [{ name: 'x' }] }],
    [{ pathRegex: '/admin/(' }],
    [],
    'nothing',
  ]) {
    const cluster = new Cluster().apply(route('a/r', [rule('narrow', { match }), wide]))
    assert.equal(rejects(cluster, 'a/r/wide'), '500 rule-invalid', JSON.stringify(match))
    assert.equal(cluster.verdict('ApiRoute a/r').runs, 'nothing')
    cluster.apply(route('a/r', [rule('narrow'), wide]))
    assert.equal(rejects(cluster, 'a/r/wide'), 'no')
    cluster.apply(route('a/r', [rule('narrow', { match }), wide]))
    assert.equal(rejects(cluster, 'a/r/wide'), 'no', 'the last valid spec runs')
    assert.equal(rejects(cluster, 'a/r/narrow'), 'no')
  }
})

test('where only its path can be read, a match takes all requests for it', () => {
  const wide = rule('wide', { ...OPEN, match: [{ path: '/**' }] })
  const headers = [{ name: 'x', exact: 'a', prefix: 'b' }]
  const match = [
    { path: '/a/**', headers },
    { path: '/b', method: 'get' },
    { path: '/c', when: '' },
  ]
  const cluster = new Cluster().apply(route('a/r', [rule('narrow', { match }), wide]))
  assert.equal(rejects(cluster, 'a/r/wide'), 'no')
  assert.equal(rejects(cluster, 'a/r/narrow'), '500 rule-invalid')
  const { matches } = cluster.rule('a/r/narrow')
  assert.ok(matches.every((one) => one.method === null && one.headers.length === 0))
  assert.deepEqual(
    matches.map(({ path }) => (path.kind === 'segments' ? path.segments : path.kind)),
    ['a', 'b', 'c'].map((literal) => [{ literal }]),
  )
})

test("a rule's own word on being public counts before its route's", () => {
  const rules = [rule('none'), rule('open', OPEN), rule('closed', { public: false })]
  const auth = (more: object) => {
    const cluster = new Cluster().apply(route('a/r', rules, { ...more }))
    return ['none', 'open', 'closed'].map((name) => cluster.auth(`a/r/${name}`))
  }
  assert.deepEqual(auth({}), ['policy-missing', 'open', 'policy-missing'])
  assert.deepEqual(auth(OPEN), ['open', 'open', 'policy-missing'])
})
