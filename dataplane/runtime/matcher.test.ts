/**
 * The matcher against its plain twin on random tables, and the promises about hosts, methods and
 * conditions one by one.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { PathSegment } from '#wire/table'
import { fakeExchange } from '../../test/fake/exchange.ts'
import { fakeRule } from '../../test/fake/rule.ts'
import type { Received } from '../request/exchange.ts'
import type { Prepared } from './expression-types.ts'
import { EntriesOfHost, type HostMatcher, RejectedHost } from './host-matcher.ts'
import { TableMatcher } from './matcher.ts'
import { type PlainAnswer, type PlainHost, plainMatch } from './matcher-plain.ts'
import type { Pattern } from './pattern.ts'
import type { MatcherEntry, PreparedMatch, PreparedPath } from './prepared-match.ts'

const WORDS = ['a', 'b', 'c%40', '']

function condition(verdict: 'true' | 'false' | 'failed'): Prepared {
  return { source: verdict, evaluate: () => verdict === 'true', test: () => verdict }
}

/** Stands in the place of RE2: this test is about order, not about patterns. */
function patternOf(expression: RegExp): Pattern {
  const whole = new RegExp(`^(?:${expression.source})$`)
  return {
    test: (text) => whole.test(text),
    groups: (text) => {
      const found = whole.exec(text)
      return found === null ? null : { ...found.groups }
    },
    find: (text) => expression.test(text),
  }
}

function segmentsPath(segments: readonly PathSegment[], end: 'exact' | 'below'): PreparedPath {
  const captures = segments.some((segment) => 'param' in segment) ? 'params' : 'nothing'
  return { kind: 'segments', segments, end, captures }
}

const paths: fc.Arbitrary<PreparedPath> = fc.oneof(
  { arbitrary: fc.constant<PreparedPath>({ kind: 'any' }), weight: 1 },
  {
    arbitrary: fc
      .constantFrom(/\/a/, /\/(?<one>[ab])\/.*/, /.*/, /\/(?<all>.*)/)
      .map((pattern): PreparedPath => ({ kind: 'regex', pattern: patternOf(pattern) })),
    weight: 1,
  },
  {
    arbitrary: fc
      .tuple(
        fc.array(fc.constantFrom('a', 'b', 'c%40', '{p}', '{q}'), { maxLength: 3 }),
        fc.constantFrom('exact', 'below', 'slash'),
      )
      .map(([words, end]) => {
        const segments = words.map((word, i): PathSegment => {
          return word.startsWith('{') ? { param: `${word.slice(1, 2)}${i}` } : { literal: word }
        })
        if (end === 'below') return segmentsPath(segments, 'below')
        const slashed = end === 'slash' || segments.length === 0
        return segmentsPath(slashed ? [...segments, { literal: '' }] : segments, 'exact')
      }),
    weight: 8,
  },
)

const predicates = fc.constantFrom(
  null,
  null,
  null,
  [{ name: 'x', test: { kind: 'present' as const } }],
  [{ name: 'x', test: { kind: 'exact' as const, value: '1' } }],
  [{ name: 'x', test: { kind: 'prefix' as const, value: '2' } }],
  [{ name: 'x', test: { kind: 'regex' as const, pattern: patternOf(/[12]+/) } }],
)

const matches: fc.Arbitrary<PreparedMatch> = fc.record({
  method: fc.constantFrom(null, 'GET', 'POST', 'HEAD'),
  path: paths,
  headers: predicates,
  queryParams: predicates,
  when: fc.constantFrom(
    null,
    null,
    null,
    condition('true'),
    condition('false'),
    condition('failed'),
  ),
})

const tables: fc.Arbitrary<readonly PlainHost[]> = fc.uniqueArray(
  fc.record({
    key: fc.constantFrom('*', '*.com', '*.x.com', 'x.com', 'a.x.com', '*.a.x.com'),
    namespace: fc.constantFrom('one', 'one', 'two'),
    entries: fc
      .array(matches, { maxLength: 12 })
      .map((list) =>
        list.map((match, i): MatcherEntry => ({ rule: fakeRule({ key: `rule ${i}` }), match })),
      ),
  }),
  { selector: (host) => host.key, maxLength: 5 },
)

const requests = fc.record({
  method: fc.constantFrom('GET', 'POST', 'HEAD', 'PUT'),
  host: fc.constantFrom('x.com', 'a.x.com', 'b.a.x.com', 'com', '.com', 'y.com', ''),
  path: fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 4 }).map((words) => {
    const kept = words.filter((word, i) => word !== '' || i === words.length - 1)
    return `/${kept.join('/')}`
  }),
  query: fc.constantFrom(null, 'x=1', 'x=2%32&x=1', 'y'),
  headers: fc.constantFrom([], ['X', '1'], ['x', '22', 'Y', '']),
})

function matcherOf(hosts: readonly PlainHost[]): TableMatcher {
  return new TableMatcher(
    new Map(hosts.map((host) => [host.key, new EntriesOfHost(host.namespace, host.entries)])),
  )
}

/** What the matcher did, in the words of the twin. */
function answerOf(matcher: TableMatcher, received: Partial<Received>): PlainAnswer {
  const { exchange } = fakeExchange(received)
  const failure = matcher.match(exchange)
  const rule = exchange.rule?.key ?? ''
  if (failure === null) {
    return { kind: 'rule', rule, params: { ...exchange.params }, rest: exchange.rest }
  }
  if (failure.cause === 'expression-failed') return { kind: 'failed', rule }
  assert.equal(exchange.rule, null)
  const allow = failure.headers[1]
  assert.equal(failure.status, allow === undefined ? 404 : 405)
  return { kind: 'missed', methods: allow === undefined ? [] : allow.split(', ') }
}

test('the matcher and its plain twin agree on random tables and requests', () => {
  fc.assert(
    fc.property(tables, fc.array(requests, { maxLength: 8 }), (hosts, received) => {
      const matcher = matcherOf(hosts)
      for (const request of received) {
        const plain = plainMatch(hosts, fakeExchange(request).exchange)
        assert.deepEqual(answerOf(matcher, request), plain)
      }
    }),
    { numRuns: 4_000 },
  )
})

const literal = (text: string): PreparedPath =>
  segmentsPath(
    text
      .split('/')
      .map((word) => (word.startsWith('{') ? { param: word.slice(1, -1) } : { literal: word })),
    'exact',
  )

function entry(key: string, match: Partial<PreparedMatch>): MatcherEntry {
  return {
    rule: fakeRule({ key }),
    match: {
      method: null,
      path: literal(''),
      headers: null,
      queryParams: null,
      when: null,
      ...match,
    },
  }
}

test('a host falls through to wider hosts of its own namespace only', () => {
  const matcher = matcherOf([
    { key: 'a.x.com', namespace: 'one', entries: [entry('exact', { path: literal('a') })] },
    { key: '*.x.com', namespace: 'two', entries: [entry('foreign', { path: { kind: 'any' } })] },
    { key: '*', namespace: 'one', entries: [entry('own', { path: literal('b') })] },
  ])
  const at = (path: string): string => {
    const answer = answerOf(matcher, { host: 'a.x.com', path })
    return answer.kind === 'rule' ? answer.rule : answer.kind
  }
  assert.deepEqual(['/a', '/b', '/c'].map(at), ['exact', 'own', 'missed'])
})

test('GET does not imply HEAD, and 405 names every method of the path', () => {
  const hosts = [
    {
      key: '*',
      namespace: 'one',
      entries: [
        entry('get', { path: literal('a'), method: 'GET' }),
        entry('post', { path: literal('{id}'), method: 'POST' }),
      ],
    },
  ]
  const seen = answerOf(matcherOf(hosts), { method: 'HEAD', path: '/a' })
  assert.deepEqual(seen, { kind: 'missed', methods: ['GET', 'POST'] })
})

test('params are decoded, and no name of theirs reaches a prototype', () => {
  const path = segmentsPath([{ param: '__proto__' }, { param: 'id' }], 'below')
  const matcher = matcherOf([{ key: '*', namespace: 'one', entries: [entry('r', { path })] }])
  const { exchange } = fakeExchange({ path: '/x/caf%C3%A9%3F/rest/%40' })
  assert.equal(matcher.match(exchange), null)
  assert.deepEqual(Object.entries(exchange.params), [
    ['__proto__', 'x'],
    ['id', 'caf\u00e9?'],
  ])
  assert.equal(Object.getPrototypeOf(exchange.params), null)
  assert.equal(exchange.rest, 'rest/%40')
})

test('what is below a path is told from the path with and without its slash', () => {
  const matcher = matcherOf([
    {
      key: '*',
      namespace: 'one',
      entries: [entry('r', { path: segmentsPath([{ literal: 'x' }], 'below') })],
    },
  ])
  const restAt = (path: string): unknown => {
    const answer = answerOf(matcher, { path })
    return answer.kind === 'rule' ? answer.rest : answer.kind
  }
  assert.deepEqual(['/x', '/x/', '/x/y/', '/xy'].map(restAt), [null, '', 'y/', 'missed'])
})

test('a failing condition answers 500 and never lets a wider rule serve', () => {
  const hosts = [
    { key: 'x.com', namespace: 'one', entries: [entry('narrow', { when: condition('failed') })] },
    { key: '*', namespace: 'one', entries: [entry('wide', { path: { kind: 'any' } })] },
  ]
  const { exchange } = fakeExchange({ host: 'x.com', path: '/' })
  const failure = matcherOf(hosts).match(exchange)
  assert.equal(failure?.cause, 'expression-failed')
  assert.equal(failure.status, 500)
  assert.equal(exchange.rule?.key, 'narrow')
})

test('a host that cannot be prepared is closed, and nothing wider answers for it', () => {
  const wide = new EntriesOfHost('one', [entry('wide', { path: { kind: 'any' } })])
  const hosts = new Map<string, HostMatcher>([
    ['x.com', new RejectedHost('one')],
    ['*', wide],
  ])
  const matcher = new TableMatcher(hosts)
  const { exchange } = fakeExchange({ host: 'x.com' })
  assert.equal(matcher.match(exchange)?.cause, 'rule-rejected')
})
