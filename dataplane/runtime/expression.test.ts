/**
 * Expressions as the rest of the data plane sees them: what they read, what is absent, what is
 * shared, and that they never throw.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FIELDS, FUNCTIONS, MACROS, OWN_FUNCTIONS } from '#wire/vocabulary'
import { fakeExchange } from '../../test/fake/exchange.ts'
import { fail } from '../request/failure.ts'
import { isFailure, type CelValue, type ExpressionFailure, type Scope } from './expression-types.ts'
import { JsonText, Timestamp } from './expression-values.ts'
import { createExpressions, prepareExpression } from './expression.ts'
import { scopeWith } from './fake/scope.ts'

function evaluate(source: string, scope: Scope = scopeWith({})): CelValue | ExpressionFailure {
  const prepared = prepareExpression(source, Object.keys(scope.locals ?? {}))
  assert.ok(!('kind' in prepared), `${source}: ${'kind' in prepared ? prepared.because : ''}`)
  return prepared.evaluate(scope)
}

function reason(source: string, scope?: Scope): string {
  const value = evaluate(source, scope)
  assert.ok(isFailure(value), source)
  return `${value.why}: ${value.reason}`
}

/** What each field is in the scope of the tests. Absent ones say so. */
const VALUES: { readonly [R in keyof typeof FIELDS]: { readonly [field: string]: unknown } } = {
  request: {
    method: 'GET',
    scheme: 'http',
    host: 'shop.example.com',
    path: '/orders/7',
    ip: '192.0.2.7',
    id: '01JZZZZZZZ0000000000000000',
    time: new Timestamp(1_760_000_000, 0),
    params: { id: '7' },
    query: { a: '1', b: 'x y' },
    queryAll: { a: ['1', '2'], b: ['x y'] },
    headers: { host: 'shop.example.com', 'x-tenant': 'blue', 'x-list': '1, 2' },
    body: undefined,
  },
  auth: {
    method: 'staff',
    consumer: 'partners/acme',
    claims: { sub: 'u-1', tenant: 'blue', role: 'admin', level: 3, rate: 1.5, scope: 'read write' },
    groups: ['gold', 'eu'],
    scopes: ['read', 'write'],
  },
  consumer: {
    namespace: 'partners',
    name: 'acme',
    labels: { partner: 'true' },
    groups: ['gold'],
    state: 'Active',
    externalIds: { stripe: 'cus_1' },
  },
  plan: { name: undefined, labels: undefined },
  response: {
    status: 404,
    duration: undefined,
    bytes: 12,
    complete: true,
    partial: false,
    cause: 'no-route',
  },
}

function answeredScope(): Scope {
  const scope = scopeWith({})
  scope.exchange.params = { id: '7' }
  scope.exchange.decision = fail('no-route', 'No route.')
  scope.exchange.bytesOut = 12
  scope.exchange.complete = true
  return scope
}

/** A call of each function with what it gives. */
const CALLS: { readonly [name: string]: readonly [string, unknown] } = {
  size: ['size("aé😀")', 3],
  matches: ['"order-12".matches("^order-[0-9]+$")', true],
  timestamp: ['timestamp("2026-01-02T03:04:05Z").getFullYear()', 2026],
  duration: ['duration("1h30m").getMinutes()', 90],
  int: ['int("42")', 42],
  uint: ['uint(3) == 3u', true],
  double: ['double("2.5")', 2.5],
  string: ['string(12) + string(true)', '12true'],
  bytes: ['bytes("é").size()', 2],
  bool: ['bool("true")', true],
  type: ['type(1) == int && type("") == string', true],
  dyn: ['dyn(1) == 1', true],
  inCidr: ['inCidr("10.1.2.3", "10.0.0.0/8")', true],
  value: ['value(auth.claims.none, "d")', 'd'],
  scopes: ['scopes({"scp": ["a"]})', ['a']],
  'strings.quote': ['strings.quote("a\\"\\n")', '"a\\"\\n"'],
  contains: ['"abc".contains("b")', true],
  startsWith: ['"abc".startsWith("ab")', true],
  endsWith: ['"abc".endsWith("bc")', true],
  charAt: ['"abc".charAt(1)', 'b'],
  indexOf: ['"abcb".indexOf("b", 2)', 3],
  lastIndexOf: ['"abcb".lastIndexOf("b")', 3],
  join: ['["a", "b"].join("-")', 'a-b'],
  lowerAscii: ['"ABÉ".lowerAscii()', 'abÉ'],
  upperAscii: ['"abé".upperAscii()', 'ABé'],
  replace: ['"aaa".replace("a", "b", 2)', 'bba'],
  split: ['"a,b,c".split(",", 2)', ['a', 'b,c']],
  substring: ['"abcd".substring(1, 3)', 'bc'],
  trim: ['" a\\t".trim()', 'a'],
  reverse: ['"ab😀".reverse()', '😀ba'],
  format: ['"%s-%d-%.1f".format(["a", 1, 2.25])', 'a-1-2.2'],
  getFullYear: ['request.time.getFullYear()', 2025],
  getMonth: ['request.time.getMonth()', 9],
  getDate: ['request.time.getDate()', 9],
  getDayOfMonth: ['request.time.getDayOfMonth()', 8],
  getDayOfWeek: ['request.time.getDayOfWeek()', 4],
  getDayOfYear: ['request.time.getDayOfYear()', 281],
  getHours: ['request.time.getHours("Europe/Berlin")', 10],
  getMinutes: ['request.time.getMinutes("+00:30")', 23],
  getSeconds: ['request.time.getSeconds()', 20],
  getMilliseconds: ['duration("1.5s").getMilliseconds()', 500],
  has: ['has(auth.claims.sub)', true],
  all: ['auth.groups.all(g, g != "")', true],
  exists: ['auth.groups.exists(g, g == "eu")', true],
  exists_one: ['auth.groups.exists_one(g, g == "eu")', true],
  filter: ['[1, 2, 3].filter(n, n > 1)', [2, 3]],
  map: ['[1, 2, 3].map(n, n > 1, n * 10)', [20, 30]],
}

test('every variable and function of the vocabulary evaluates', () => {
  for (const [root, fields] of Object.entries(FIELDS)) {
    for (const field of Object.keys(fields)) {
      const expected = Object.entries(VALUES).find(([name]) => name === root)?.[1][field]
      const value = evaluate(`${root}.${field}`, answeredScope())
      if (expected === undefined) assert.ok(isFailure(value) && value.why === 'absent', field)
      else assert.deepEqual(structuredClone(value), structuredClone(expected), `${root}.${field}`)
    }
  }
  const names = [...Object.keys(FUNCTIONS), ...Object.keys(MACROS)]
  assert.deepEqual(Object.keys(CALLS).toSorted(), names.toSorted())
  assert.deepEqual(
    OWN_FUNCTIONS.filter((name) => !names.includes(name)),
    [],
  )
  for (const [source, expected] of Object.values(CALLS)) {
    assert.deepEqual(evaluate(source), expected, source)
  }
})

test('headers are found in every case, and repeated lines are one value', () => {
  assert.equal(evaluate('request.headers["x-tenant"]'), 'blue')
  assert.equal(evaluate('request.headers["X-Tenant"]'), 'blue')
  assert.equal(evaluate('request.headers["x-" + "tenant"]'), 'blue')
  assert.equal(evaluate('request.headers["x-list"]'), '1, 2')
  assert.equal(evaluate('request.headers.host'), 'shop.example.com')
  assert.equal(evaluate('has(request.headers.none)'), false)
  assert.equal(reason('request.headers["none"] == "x"'), 'absent: none is absent')
  assert.equal(evaluate('"x-tenant" in request.headers'), true)
})

test('a query parameter is its first value, decoded', () => {
  assert.equal(evaluate('request.query.a'), '1')
  assert.equal(evaluate('request.query["b"]'), 'x y')
  assert.deepEqual(evaluate('request.queryAll.a'), ['1', '2'])
  assert.equal(reason('request.query.c'), 'absent: c is absent')
})

test('an anonymous caller has empty claims and no consumer', () => {
  const scope = scopeWith({ caller: null })
  assert.equal(evaluate('auth.method', scope), 'anonymous')
  assert.deepEqual(evaluate('auth.claims', scope), {})
  assert.equal(evaluate('size(auth.groups) + size(auth.scopes)', scope), 0)
  assert.equal(reason('auth.consumer', scope), 'absent: the consumer is absent')
  assert.equal(evaluate('has(auth.consumer) || has(consumer.name)', scope), false)
})

test('has is safe at every level', () => {
  assert.equal(evaluate('has(auth.claims.a.b.c)'), false)
  assert.equal(evaluate('has(auth.claims.sub.x.y)'), false)
  assert.equal(evaluate('has(auth.claims["none"].x)'), false)
  assert.equal(evaluate('has(auth.groups[9].x)'), false)
  assert.equal(evaluate('has(plan.labels.x)'), false)
  assert.equal(evaluate('has(auth.claims.constructor)'), false)
  assert.equal(evaluate('has(auth.claims.__proto__)'), false)
  assert.equal(evaluate('has({"a": null}.a)'), true)
  assert.equal(reason('has({"a": 1 / 0}.a)'), 'broken: a division by zero')
})

test('value stands for what is absent or null, and for nothing else', () => {
  assert.equal(evaluate('value(auth.claims.a.b, 1)'), 1)
  assert.equal(evaluate('value({"a": null}.a, 1)'), 1)
  assert.equal(evaluate('value(auth.claims.sub, "d")'), 'u-1')
  assert.equal(evaluate('value(auth.claims.a, value(plan.name, "x"))'), 'x')
  assert.equal(reason('value(1 / 0, 1)'), 'broken: a division by zero')
  assert.equal(evaluate('value(false, true)'), false)
})

test('a failure does not matter where the other side decides', () => {
  assert.equal(evaluate('auth.claims.none == 1 || true'), true)
  assert.equal(evaluate('true || auth.claims.none == 1'), true)
  assert.equal(evaluate('auth.claims.none == 1 && false'), false)
  assert.equal(evaluate('[1, 0, 2].exists(n, 2 / n == 1)'), true)
  assert.equal(evaluate('[0, 1].all(n, 1 / n == 2)'), false)
  assert.equal(reason('auth.claims.none == 1 || false'), 'absent: none is absent')
  assert.equal(reason('[0, 1].exists_one(n, 1 / n == 1)'), 'broken: a division by zero')
})

test('ints and doubles mix, and ints keep all their digits', () => {
  const doc = new JsonText('', { total: 5, price: 2.5, big: 9007199254740993n })
  const scope = scopeWith({ locals: { doc } })
  assert.equal(evaluate('doc.total + 1', scope), 6)
  assert.equal(evaluate('doc.price * 3 == 7.5', scope), true)
  assert.equal(evaluate('string(doc.price * 2)', scope), '5')
  assert.equal(evaluate('type(doc.price * 2) == double', scope), true)
  assert.equal(evaluate('5.5 % 2', scope), 1.5)
  assert.equal(evaluate('string(doc.big + 1)', scope), '9007199254740994')
  assert.equal(reason('9223372036854775807 + 1'), 'broken: a number does not fit 64 bits')
})

test('test is true, false or failed, and nothing else counts as true', () => {
  const outcome = (source: string): string => {
    const prepared = prepareExpression(source)
    return 'kind' in prepared ? 'refused' : prepared.test(scopeWith({}))
  }
  assert.equal(outcome('auth.claims.role == "admin"'), 'true')
  assert.equal(outcome('auth.claims.role == "user"'), 'false')
  assert.equal(outcome('auth.claims.none == "x"'), 'failed')
  assert.equal(outcome('auth.claims.role'), 'failed')
  assert.equal(outcome('1'), 'failed')
})

test('a text that a pattern may not see is a failure, not a text that does not match', () => {
  const scope = scopeWith({ locals: { long: 'x'.repeat(8193), short: 'x'.repeat(8192) } })
  assert.equal(evaluate('!short.matches("evil")', scope), true)
  const failure = 'broken: matches: the text is longer than 8192 bytes'
  assert.equal(reason('!long.matches("evil")', scope), failure)
})

test('calls and the variables of forEach are read as they are', () => {
  const body = new JsonText('{"lines":[{"sku":"a"}]}', { lines: [{ sku: 'a' }] })
  const calls = { order: { status: 200, body, headers: { etag: '"1"' }, ok: true } }
  const scope = scopeWith({ calls, locals: { line: { sku: 'b' } } })
  assert.equal(evaluate('calls.order.body.lines[0].sku', scope), 'a')
  assert.deepEqual(evaluate('calls.order.body.lines.map(l, l.sku + line.sku)', scope), ['ab'])
  assert.equal(evaluate('calls["order"].status == 200 && calls.order.ok', scope), true)
  assert.equal(evaluate('calls.order.body', scope), body)
  assert.equal(evaluate('calls.order.body == {"lines": [{"sku": "a"}]}', scope), true)
  assert.equal(reason('calls.stock.body', scope), 'absent: stock is absent')
  assert.equal(reason('calls.order.status', scopeWith({})), 'absent: calls is absent')
})

test('a document cannot pass itself off as a failure', () => {
  const lie = { kind: 'expression-failure', reason: 'x', why: 'absent' }
  const scope = scopeWith({ locals: { lie } })
  assert.deepEqual(evaluate('lie', scope), lie)
  assert.equal(evaluate('has(lie.reason)', scope), true)
  assert.equal(isFailure(evaluate('lie', scope)), false)
})

test('an evaluation never throws', () => {
  const calls = {
    get order(): CelValue {
      throw new Error('broken getter')
    },
  }
  const scope = scopeWith({ calls })
  assert.equal(reason('calls.order.body', scope), 'broken: the evaluation broke off')
  const { exchange } = fakeExchange({})
  assert.equal(evaluate('request.path', { exchange, caller: null, calls: null, locals: null }), '/')
})

test('equal texts share one, and other variables do not', () => {
  const expressions = createExpressions()
  const one = expressions.prepare('auth.method == "a"')
  assert.equal(expressions.prepare('auth.method == "a"'), one)
  assert.notEqual(expressions.prepare('auth.method == "a"', ['auth']), one)
  const local = expressions.prepare('request.path', ['request'])
  assert.ok(!('kind' in local))
  const scope = scopeWith({ locals: { request: { path: 'mine' } } })
  assert.equal(local.evaluate(scope), 'mine')
})

test('what the vocabulary does not know is refused when it is prepared', () => {
  const refused = [
    'nothing',
    'request',
    'request.nothing',
    'request["nothing"]',
    'auth.claims.sub.nothing()',
    'startsWith("a", "b")',
    '"a".startsWith("b", "c")',
    'auth.method.matches(auth.method)',
    '"a".matches("(")',
    '"a".matches("a{900}")',
    'Foo{a: 1}',
    '[1].map(a, [1].map(b, [1].map(c, c)))',
    '1 +',
    '',
    `${'['.repeat(33)}${']'.repeat(33)}`,
    `${'1+'.repeat(1001)}1`,
    `"${'x'.repeat(4096)}"`,
  ]
  for (const source of refused) {
    const prepared = prepareExpression(source)
    assert.equal('kind' in prepared ? prepared.kind : 'prepared', 'refused', source)
  }
})
