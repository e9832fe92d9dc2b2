/**
 * What is still usable of objects that are not valid.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { salvageGateway, salvageRoute, salvageTargets } from './salvage.ts'

const HEAD = { apiVersion: 'fairlead.dev/v1alpha1', kind: 'ApiRoute' }
const GOOD = { name: 'good', match: [{ path: '/good' }], respond: { status: 200 } }

function salvaged(spec: unknown, head: object = HEAD) {
  return salvageRoute({ ...head, spec })
}

test('a broken rule keeps its matches, its neighbours keep everything', () => {
  const broken = {
    name: 'broken',
    match: [{ path: '/ok', method: 'GET' }, { path: 7 }, { path: '/fine' }],
    backends: 'none',
  }
  const { rules, topValid, matches } = salvaged({ rules: [GOOD, broken] })
  assert.equal(topValid, 'yes')
  assert.equal(matches, 'unknown')
  assert.deepEqual(rules[0], { valid: 'yes', position: 0, rule: GOOD })
  assert.equal(rules[1]?.valid, 'no')
  assert.equal(rules[1].position, 1)
  assert.equal(rules[1].rule.name, 'broken')
  assert.deepEqual(rules[1].rule.match, [{ path: '/ok', method: 'GET' }, { path: '/fine' }])
})

test('a broken rule is not public unless it plainly says so', () => {
  const open = (value: unknown) =>
    salvaged({ rules: [{ ...GOOD, public: value, respond: 7 }] }).rules[0]?.rule.public
  assert.deepEqual([true, false, 'true', 1].map(open), [true, false, false, false])
})

test('a rule without a name that policies could use gets one of its own', () => {
  const { rules } = salvaged({
    rules: [GOOD, { ...GOOD }, { ...GOOD, name: 7 }, { ...GOOD, name: '' }],
  })
  assert.deepEqual(
    rules.map(({ rule, valid }) => `${rule.name} ${valid}`),
    ['good yes', 'rule-1 no', 'rule-2 no', 'rule-3 no'],
  )
})

test('names that are made up never meet a name that is written', () => {
  const written = { ...GOOD, name: 'rule-2' }
  const { rules } = salvaged({ rules: [written, GOOD, GOOD, { ...GOOD, name: 'rule-2-x' }] })
  const names = rules.map(({ rule }) => rule.name)
  assert.deepEqual(names.slice(0, 3), ['rule-2', 'good', 'rule-2-x'])
  assert.equal(new Set(names).size, 4)
})

test('a rule of which not one match is known is left out', () => {
  assert.deepEqual(salvaged({ rules: [{ name: 'x', match: [{ path: 7 }] }, 'what'] }).rules, [])
})

test('hosts that cannot be read are no hosts, never all hosts', () => {
  const hosts = (value: unknown) => salvaged({ hosts: value, rules: [GOOD] }).top.hosts
  assert.deepEqual(hosts(['x.example.com', 'not a host', 7]), ['x.example.com'])
  assert.deepEqual(hosts(['not a host']), [])
  assert.deepEqual(hosts('x.example.com'), [])
})

test('something wrong above the rules lets none of them run', () => {
  const hosts = ['x.example.com']
  for (const [spec, head] of [
    [{ hosts: [...hosts, 'not a host'], rules: [GOOD] }, HEAD],
    [{ hosts, publik: true, rules: [GOOD] }, HEAD],
    [
      { hosts, rules: [GOOD] },
      { ...HEAD, spek: {} },
    ],
  ] as const) {
    const { top, topValid, rules } = salvaged(spec, head)
    assert.equal(topValid, 'no')
    assert.deepEqual(top.hosts, hosts)
    assert.equal(rules[0]?.valid, 'yes')
  }
})

test('nonsense is no reason to stop', () => {
  for (const spec of [null, 7, 'spec', [], { rules: 'none' }, { rules: [null, []] }]) {
    assert.deepEqual(salvaged(spec).rules, [])
    assert.deepEqual(salvageTargets('AuthPolicy', { spec }), [])
    assert.deepEqual(salvageGateway({ spec }), {})
  }
})

test('a policy that is invalid certainly targets what is validly named', () => {
  const targetRefs = [
    { kind: 'ApiRoute', name: 'r' },
    { kind: 'Nothing', name: 'x' },
    { kind: 'Namespace', name: 'a' },
  ]
  const spec = { targetRefs, authenticate: 7 }
  for (const kind of ['AuthPolicy', 'RateLimitPolicy'] as const) {
    assert.deepEqual(salvageTargets(kind, { spec }), [targetRefs[0], targetRefs[2]])
  }
})

test('what cannot be read of a gateway is closed', () => {
  const dataPlanes = { serviceAccount: 'a', service: 's' }
  assert.deepEqual(salvageGateway({ spec: { dataPlanes, trustedProxies: ['x'] } }), { dataPlanes })
  const grants = [{ host: 'x.example.com', namespaces: ['a'] }]
  assert.deepEqual(
    salvageGateway({ spec: { hosts: { grants: [...grants, 7], ungranted: 'firstCome' } } }),
    { hosts: { grants, ungranted: 'refuse' } },
  )
  const { allowedNamespaces } = salvageGateway({ spec: { allowedNamespaces: 'all' } })
  assert.deepEqual(allowedNamespaces, { selector: { matchLabels: { '-': '' } } })
})

test('a name that is none never becomes a key of the table', () => {
  const name = 'x'.repeat(10_000)
  const { rules } = salvageRoute({
    apiVersion: 'fairlead.dev/v1alpha1',
    kind: 'ApiRoute',
    spec: { rules: [{ name, match: [{ path: '/a' }], respond: { status: 200 } }] },
  })
  assert.deepEqual(
    rules.map(({ valid, rule }) => [valid, rule.name]),
    [['no', 'rule-0']],
  )
})
