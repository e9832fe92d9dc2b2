/**
 * What is said about expressions before they run: where, what is wrong, and what to do; and that
 * nothing is accepted which the data plane could not prepare.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { expressionSource, NAMES } from '../../dataplane/runtime/fake/expressions.ts'
import { prepareExpression } from '../../dataplane/runtime/expression.ts'
import { preparePattern } from '../../dataplane/runtime/pattern.ts'
import { checkExpression, checkPattern, type Within } from './expression.ts'
import { FieldPath } from './problem.ts'

const AT = new FieldPath<string>('spec.when')
const POLICY: Within = { place: 'policy' }
const AGGREGATE: Within = { place: 'aggregate', calls: ['order', 'stock'], forEachCalls: ['stock'] }

function sentences(source: string, within: Within = POLICY): string[] {
  return checkExpression(source, AT, within).problems.map((problem) => problem.sentence)
}

function first(source: string, within: Within = POLICY): string {
  return sentences(source, within)[0] ?? 'accepted'
}

test('a mistake of syntax is named where it is', () => {
  const cases: readonly (readonly [source: string, sentence: string])[] = [
    ['a = 1', 'At column 3: to compare, write ==.'],
    ['true and false', 'At column 6: for "and", write &&.'],
    ['not true', 'At column 1: for "not", write !.'],
    ['true & false', 'At column 6: for "and", write &&.'],
    ['true ==', 'At column 6: something must follow ==.'],
    ['true ? 1', 'At column 6: a condition needs both branches: a ? b : c.'],
    ['"abc', 'At column 1: the text that begins here is not closed; add " at its end.'],
    ['size([1, 2)', 'At column 11: the ) closes nothing that is open.'],
    ['size([1, 2]', 'At column 5: the ( is never closed.'],
    ['1\n+ 2 +', 'At line 2, column 5: something must follow +.'],
    [
      'auth.claims.?x',
      'At column 12: write a["b"] for names that are no identifiers, and has(a.b) to test for one.',
    ],
    ['package.x', 'At column 1: package is a reserved word of CEL; use another name.'],
    ['@', 'At column 1: "@" cannot stand here.'],
    ['1 2', 'At column 3: "2" cannot stand here.'],
  ]
  for (const [source, sentence] of cases) assert.equal(first(source), sentence, source)
})

test('an empty expression explains the tags of YAML', () => {
  assert.match(first(''), /An unquoted ! starts a YAML tag/)
  assert.match(first('  \n'), /write it in quotes, when: '!a'/)
})

test('a template in the place of an expression is shown without its braces', () => {
  assert.equal(
    first('${ auth.consumer }'),
    'At column 1: this field is an expression, not a template: write it without ${ }, as auth.consumer.',
  )
  assert.match(first('${a} == ${b}'), /not a template/)
  assert.equal(first('"${x}" == auth.method'), 'accepted')
})

test('a name that the place does not offer is named, with the nearest', () => {
  const cases: readonly (readonly [source: string, within: Within, sentence: string])[] = [
    ['reqest.path', POLICY, 'At column 1: there is no reqest; did you mean request?'],
    ['request.pth', POLICY, 'At column 8: request has no field pth; did you mean path?'],
    [
      'auth.x',
      { place: 'match' },
      'At column 1: auth is not available here; this field may use request.',
    ],
    [
      'calls.order',
      POLICY,
      'At column 1: calls is not available here; this field may use request, auth, consumer, plan.',
    ],
    ['calls.ordr.body', AGGREGATE, 'At column 6: there is no call ordr; did you mean order?'],
    [
      'calls.order.bdy',
      AGGREGATE,
      'At column 12: calls.order has no field bdy; did you mean body?',
    ],
    [
      'calls[request.path]',
      AGGREGATE,
      'At column 14: a field of calls must be named, as calls.order.',
    ],
    [
      'request',
      POLICY,
      'At column 1: request is not a value; use one of its fields, as request.method.',
    ],
    ['request.path.x', POLICY, 'At column 13: a string has no field x.'],
    [
      'request.headers.x-tenant',
      POLICY,
      'At column 18: - subtracts here; a name with a hyphen is written headers["x-tenant"].',
    ],
    [
      'request.body.x',
      POLICY,
      'At column 8: request.body is read only where the rule says so: add readBody: { max: 1Mi } to it.',
    ],
    ['auth.groups.exists(g, h == "x")', POLICY, 'At column 23: there is no h; did you mean g?'],
  ]
  for (const [source, within, sentence] of cases)
    assert.equal(first(source, within), sentence, source)
  assert.equal(first('request.body.x', { ...POLICY, readBody: 'yes' }), 'accepted')
  assert.equal(first('calls.stock.anything.body', AGGREGATE), 'accepted')
  assert.equal(first('line.sku', { ...POLICY, locals: ['line'] }), 'accepted')
  assert.equal(first('[1].map(request, request)'), 'accepted')
})

test('a function that does not exist, or takes other arguments, is named', () => {
  const cases: readonly (readonly [source: string, sentence: string])[] = [
    [
      'request.path.startswith("a")',
      'At column 13: there is no function startswith; did you mean startsWith?',
    ],
    ['startsWith("a", "b")', 'At column 1: startsWith is written x.startsWith(…).'],
    ['"a".int()', 'At column 4: int is written int(x).'],
    ['size()', 'At column 1: size takes 1 argument.'],
    ['"a".replace("b")', 'At column 4: replace takes 2 or 3 arguments.'],
    ['has(request)', 'At column 1: has takes one field, as has(auth.claims.role).'],
    [
      '[1].all(1, true)',
      'At column 4: all is written list.all(x, test), with a name of your own for x.',
    ],
    [
      'request.path.matches(request.host)',
      'At column 29: the pattern of matches must be a literal text, so that it is bounded.',
    ],
    [
      'inCidr(request.ip, "10.0.0.0/33")',
      'At column 20: "10.0.0.0/33" is no address range; write it as "10.0.0.0/8".',
    ],
    ['Book{title: "x"}', 'At column 1: Book{…} makes no value here; write a map {"a": b}.'],
    [
      '9223372036854775808',
      'At column 1: this number does not fit 64 bits; write it with a fraction.',
    ],
  ]
  for (const [source, sentence] of cases) assert.equal(first(source), sentence, source)
})

test('a condition must be true or false where that can be seen', () => {
  const when: Within = { ...POLICY, expects: 'bool' }
  assert.match(first('request.path', when), /needs true or false, but the expression is a string/)
  assert.equal(first('auth.claims.admin', when), 'accepted')
  assert.equal(first('request.path == "/" && !("a" in auth.groups)', when), 'accepted')
})

test('what is read is known', () => {
  const source =
    'request.headers["X-A"] == request.headers.host && auth.claims.sub in ["a"] && ' +
    'calls.order.body.x == calls.stock["a"].status && line.id > 1 && has(auth.claims.org.id)'
  const { value } = checkExpression(source, AT, { ...AGGREGATE, locals: ['line'] })
  assert.deepEqual(value, {
    variables: ['auth', 'calls', 'line', 'request'],
    calls: ['order', 'stock'],
    headers: ['host', 'x-a'],
    claims: ['org', 'sub'],
    body: 'unread',
  })
  const all = checkExpression('size(request.headers) + size(auth.claims)', AT, POLICY).value
  assert.deepEqual([all?.headers, all?.claims], [['*'], ['*']])
  const computed = checkExpression('request.headers[request.method]', AT, POLICY).value
  assert.deepEqual(computed?.headers, ['*'])
})

test('what is too large is too expensive, before it is parsed', () => {
  const reasons = (source: string): string[] =>
    checkExpression(source, AT, POLICY).problems.map((problem) => problem.reason)
  assert.deepEqual(reasons(`"${'x'.repeat(4096)}"`), ['TooExpensive'])
  assert.deepEqual(reasons(`"${'é'.repeat(2048)}"`), ['TooExpensive'])
  assert.deepEqual(reasons(`${'('.repeat(33)}1${')'.repeat(33)}`), ['TooExpensive'])
  assert.deepEqual(reasons('['.repeat(4000)), ['TooExpensive'])
  assert.deepEqual(reasons(`${'1+'.repeat(1001)}1`), ['TooExpensive'])
  assert.deepEqual(reasons('[1].map(a, [1].map(b, [1].map(c, c)))'), ['TooExpensive'])
  assert.deepEqual(reasons('[1].map(a, a).filter(b, b > 0).exists(c, c == 1)'), [])
})

test('a pattern beyond its bounds is too expensive', () => {
  const reason = (pattern: string): string | undefined =>
    checkPattern(pattern, AT).problems[0]?.reason
  assert.equal(reason(String.raw`(\pL|\pN|_){900}`), 'TooExpensive')
  assert.equal(reason('(a{30}){30}'), 'TooExpensive')
  assert.equal(reason('x'.repeat(257)), 'TooExpensive')
  assert.equal(reason('(?=a)'), 'InvalidExpression')
  assert.match(checkPattern('a(', AT).problems[0]?.sentence ?? '', /^The pattern is no RE2: /)
  assert.deepEqual(checkPattern('/(?P<kind>a|b)/(?P<id>.*)', AT).value, ['kind', 'id'])
})

test('whatever is accepted can be prepared', () => {
  const locals = [...NAMES]
  const within: Within = { ...POLICY, locals }
  const seen = { accepted: 0, refused: 0 }
  fc.assert(
    fc.property(fc.oneof(expressionSource, wild), (source) => {
      const accepted = checkExpression(source, AT, within).value !== null
      seen[accepted ? 'accepted' : 'refused']++
      if (accepted) assert.ok(!('kind' in prepareExpression(source, locals)), source)
    }),
    { numRuns: 2000 },
  )
  assert.ok(seen.accepted > 100 && seen.refused > 200, JSON.stringify(seen))
  fc.assert(
    fc.property(fc.string({ maxLength: 20 }), (pattern) => {
      const accepted = checkPattern(pattern, AT).value !== null
      assert.equal('kind' in preparePattern(pattern), !accepted, pattern)
    }),
  )
})

const TOKENS =
  'request .path .headers ["x"] auth .claims .sub has( ( ) [ ] { } : , == && || ! - + ? "a" \' " r" ' +
  '1 1.5 .matches( .map(x, x .size() value( in // \\ ${ @ é 😀'
const token = fc.constantFrom(' ', '\n', ...TOKENS.split(' '))
const wild = fc.oneof(
  fc.array(token, { maxLength: 15 }).map((tokens) => tokens.join('')),
  fc.string({ unit: 'binary', maxLength: 30 }),
)

test('no text makes a check throw, and every problem says where', () => {
  fc.assert(
    fc.property(wild, (source) => {
      const { value, problems } = checkExpression(source, AT, AGGREGATE)
      assert.equal(value === null, problems.length > 0)
      for (const { path, sentence } of problems) {
        assert.equal(path, 'spec.when')
        assert.match(sentence, /^At (?:line \d+, )?column \d+: [^]+[.?]$/)
      }
    }),
    { numRuns: 5000 },
  )
})
