/**
 * The sum of the expressions of one resource, on whole clusters of objects.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  authPolicy,
  Cluster,
  GUEST,
  limitPolicy,
  route,
  rule,
  toRoute,
} from '../../test/fake/cluster.ts'
import { EXPRESSIONS_PER_OBJECT_BYTES_MAX } from '#wire/limits'
import { overspent } from './expression-budget.ts'

const OPEN = { public: true }
const LONG = `request.path == "${'x'.repeat(4_000)}"`

function numbered<T>(count: number, make: (i: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, i) => make(i))
}

function expensiveRoute(key: string) {
  const match = numbered(6, (i) => ({ path: `/big/${i}`, when: LONG }))
  const rules = numbered(64, (i) => rule(`r${i}`, { match }))
  return route(key, rules, OPEN)
}

test('a route beyond the sum says so quickly, and harms no other', () => {
  const cluster = new Cluster().apply(route('a/fine', [rule('one')], OPEN))
  const start = performance.now()
  cluster.apply(expensiveRoute('a/big'))
  const tookMs = performance.now() - start
  assert.ok(tookMs < 2_000, `it took ${tookMs} ms`)
  assert.match(
    cluster.accepted('ApiRoute a/big'),
    /^TooExpensive: spec: The expressions of this resource are 15\d\d KiB together/,
  )
  assert.equal(cluster.accepted('ApiRoute a/fine'), 'Accepted')
  assert.equal(cluster.rule('a/fine/one').action.kind, 'respond')
  const { action, matches } = cluster.rule('a/big/r0')
  assert.deepEqual([action.kind, matches.length], ['reject', 6], 'it answers for what it matches')
})

test('a route that grows too expensive keeps its last valid spec', () => {
  const cluster = new Cluster().apply(route('a/big', [rule('one')], OPEN))
  cluster.apply(expensiveRoute('a/big'))
  assert.equal(cluster.rule('a/big/one').action.kind, 'respond')
  assert.equal(cluster.verdict('ApiRoute a/big').runs, 'lastValid')
})

test('a policy beyond the sum closes what it targets', () => {
  const cluster = new Cluster().apply(
    route('a/r', [rule('one')]),
    authPolicy('a/guest', [toRoute('r')], { authenticate: GUEST }),
    limitPolicy('a/many', [toRoute('r')], {
      limits: Object.fromEntries(
        numbered(16, (i) => [
          `l${i}`,
          { rate: '1/1s', rates: numbered(3, () => ({ when: LONG, rate: '2/1s' })) },
        ]),
      ),
    }),
  )
  assert.match(cluster.accepted('RateLimitPolicy a/many'), /^TooExpensive: spec: /)
  assert.equal(cluster.auth('a/r/one'), 'policy-invalid')
})

test('only what is parsed counts: holes of templates, patterns fourfold', () => {
  const spec = (value: string, more: object = {}) => ({
    rules: [rule('one', { responseHeaders: { set: [{ name: 'x-a', value }] }, ...more })],
  })
  const beyond = EXPRESSIONS_PER_OBJECT_BYTES_MAX + 1
  assert.deepEqual(overspent('ApiRoute', spec('x'.repeat(beyond))), [])
  assert.deepEqual(overspent('ApiRoute', spec(`$\${${'x'.repeat(beyond)}`)), [])
  assert.equal(overspent('ApiRoute', spec(`\${${'x'.repeat(beyond)}}`)).length, 1)
  const pattern = (bytes: number) => spec('', { match: [{ pathRegex: 'x'.repeat(bytes) }] })
  assert.deepEqual(overspent('ApiRoute', pattern(EXPRESSIONS_PER_OBJECT_BYTES_MAX / 4)), [])
  assert.equal(overspent('ApiRoute', pattern(EXPRESSIONS_PER_OBJECT_BYTES_MAX / 4 + 1)).length, 1)
})

test('whom only a pattern or an expression tells apart is not guessed', () => {
  const match = [
    { pathRegex: '/x/.*' },
    { path: '/y', when: LONG, headers: [{ name: 'x-a', regex: 'b+' }] },
    ...numbered(14, () => ({ path: '/z', when: LONG })),
  ]
  const rules = numbered(4, (i) => rule(`r${i}`, { match }))
  const cluster = new Cluster().apply(route('a/big', rules, OPEN))
  const { matches } = cluster.rule('a/big/r0')
  assert.equal(matches.length, 15)
  assert.deepEqual(matches[0]?.headers, [{ name: 'x-a', test: { kind: 'present' } }])
})
