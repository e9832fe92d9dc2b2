/**
 * What holds for the verdicts on all kinds.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  authPolicy,
  Cluster,
  GATEWAY,
  JWT,
  named,
  route,
  rule,
  toRoute,
} from '../../test/fake/cluster.ts'

test('every object that users write has a verdict, and nothing else has', () => {
  const cluster = new Cluster().apply(
    route('a/r', [rule('one')]),
    authPolicy('a/p', [toRoute('r')], { authenticate: JWT }),
    { kind: 'RateLimitPolicy', metadata: named('a/l'), spec: {} },
    { kind: 'Consumer', metadata: named('a/c'), spec: {} },
    { kind: 'ApiKey', metadata: named('a/k'), spec: {} },
    { kind: 'LastValid', metadata: named('a/v'), spec: {} },
    { kind: 'Service', metadata: named('a/s'), spec: {} },
  )
  assert.deepEqual(
    [...cluster.compiled.verdicts.keys()],
    [
      `ApiGateway ${GATEWAY}`,
      'ApiRoute a/r',
      'AuthPolicy a/p',
      'RateLimitPolicy a/l',
      'Consumer a/c',
      'ApiKey a/k',
    ],
  )
})

test('a verdict that says nothing new keeps its identity', () => {
  const cluster = new Cluster().apply(
    route('a/r', [rule('one')]),
    authPolicy('a/p', [toRoute('r')], { authenticate: JWT }),
  )
  const [routeVerdict, policyVerdict] = [
    cluster.verdict('ApiRoute a/r'),
    cluster.verdict('AuthPolicy a/p'),
  ]
  cluster.apply(
    authPolicy('a/p', [toRoute('r')], { authenticate: JWT, forward: { credential: 'keep' } }),
  )
  assert.equal(cluster.verdict('ApiRoute a/r'), routeVerdict)
  assert.notEqual(cluster.verdict('AuthPolicy a/p'), policyVerdict)
  assert.equal(cluster.verdict('AuthPolicy a/p').generation, 2)
})

test('problems are told failures first, each with a place and what to do', () => {
  const rules = [rule('one', { match: [{ path: '/one', when: 'nope(' }] }), rule('two')]
  const cluster = new Cluster().apply(route('a/r', rules))
  const { problems } = cluster.verdict('ApiRoute a/r')
  assert.deepEqual(
    problems.map(({ path, severity }) => `${severity} ${path}`),
    ['failure spec.rules[0].match[0].when', 'failure spec.rules[0]', 'failure spec.rules[1]'],
  )
  assert.match(problems[2]?.sentence ?? '', /target it with one, or write public: true/)
})
