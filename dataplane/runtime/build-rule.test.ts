/**
 * What stands where a rule, or something that it refers to, cannot be prepared.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Rule } from '#wire/table'
import {
  builtTable,
  GATEWAY,
  hostObject,
  pathMatch,
  ruleAt,
  tableObject,
  tableRule,
} from '../../test/fake/table.ts'

test('a rule that cannot be prepared answers 503 wherever it could match', () => {
  const broken: readonly Partial<Rule>[] = [
    { matches: [{ ...pathMatch('/a'), when: 'broken (' }] },
    { matches: [{ ...pathMatch('/a'), path: { kind: 'regex', pattern: '(' } }] },
    {
      matches: [
        { ...pathMatch('/a'), headers: [{ name: 'x', test: { kind: 'regex', pattern: '(' } }] },
      ],
    },
    { action: { kind: 'respond', status: 200, headers: [], body: [{ expr: 'broken (' }] } },
    {
      requestHeaders: {
        remove: [],
        set: [{ name: 'x', value: [{ expr: '(' }], onFailure: 'remove' }],
        add: [],
      },
    },
    {
      responseHeaders: {
        remove: [],
        set: [{ name: 'x', value: ['a\nb'], onFailure: 'remove' }],
        add: [],
      },
    },
  ]
  for (const rule of broken) {
    const wide = tableObject('rule', 'shop/books/wide', tableRule({ name: 'wide' }))
    const narrow = tableObject(
      'rule',
      'shop/books/list',
      tableRule({ matches: [pathMatch('/a')], ...rule }),
    )
    const result = builtTable([
      GATEWAY,
      wide,
      narrow,
      hostObject('*', ['shop/books/list', 'shop/books/wide']),
    ])
    const found = ruleAt(result, '/a')
    assert(typeof found !== 'string')
    assert.equal(found.key, 'shop/books/list')
    assert(found.action.kind === 'reject')
    assert.equal(found.action.cause, 'rule-rejected')
    assert.deepEqual(
      result.rejections.map(({ kind, key, sources }) => [kind, key, sources[0]?.name]),
      [['rule', 'shop/books/list', 'shop/books/list']],
    )
  }
})

test('a rule whose policy or limit is not there stays closed', () => {
  const policy = {
    kind: 'policy',
    authenticate: 'gone',
    authorize: [],
    forward: null,
    deny: null,
  } as const
  for (const rule of [{ auth: policy }, { limits: ['gone'] }]) {
    const result = builtTable([
      GATEWAY,
      tableObject('rule', 'r', tableRule(rule)),
      hostObject('*', ['r']),
    ])
    const found = ruleAt(result, '/a')
    assert(typeof found !== 'string')
    assert(found.auth?.kind === 'reject')
    assert.equal(found.auth.cause, 'policy-invalid')
  }
})

test('a host that names a missing rule is closed and reported', () => {
  const rule = tableObject('rule', 'r', tableRule())
  const result = builtTable([
    GATEWAY,
    rule,
    hostObject('*', ['r']),
    hostObject('x.com', ['r', 'gone']),
  ])
  assert.equal(ruleAt(result, '/a', 'x.com'), 'rule-rejected')
  assert.notEqual(ruleAt(result, '/a', 'y.com'), 'rule-rejected')
  assert.deepEqual(
    result.rejections.map(({ kind, key }) => [kind, key]),
    [['host', 'x.com']],
  )
})

test('an object that many rules use is reported once', () => {
  const authorize = tableObject('authorize', 'bad', {
    scopes: [],
    require: 'broken (',
    when: null,
    deny: { status: 403, cause: 'forbidden', detail: 'No.' },
  })
  const auth = {
    kind: 'policy',
    authenticate: null,
    authorize: ['bad'],
    forward: null,
    deny: null,
  } as const
  const two = ['one', 'two'].map((key) => tableObject('rule', key, tableRule({ auth })))
  const result = builtTable([GATEWAY, authorize, ...two, hostObject('*', ['one', 'two'])])
  assert.deepEqual(
    result.rejections.map(({ kind, key }) => [kind, key]),
    [['authorize', 'bad']],
  )
})
