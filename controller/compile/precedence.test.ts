/**
 * Which of two matches is asked first, against the table of the documentation.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Match, PathPattern } from '#wire/table'
import { inOrderOfText, inPrecedence, oldestFirst, type Ranked, rankOf } from './precedence.ts'

const segment = fc.oneof(
  fc.constantFrom('a', 'b').map((literal) => ({ literal })),
  fc.constantFrom('x', 'y').map((param) => ({ param })),
)
const path: fc.Arbitrary<PathPattern> = fc.oneof(
  fc.record({
    kind: fc.constant('segments' as const),
    segments: fc.array(segment, { maxLength: 3 }),
    end: fc.constantFrom('exact', 'below'),
  }),
  fc.constant({ kind: 'regex', pattern: '/x' } as const),
  fc.constant({ kind: 'any' } as const),
)
const predicates = fc
  .nat(2)
  .map((length) =>
    Array.from({ length }, () => ({ name: 'n', test: { kind: 'present' } as const })),
  )
const match: fc.Arbitrary<Match> = fc.record({
  method: fc.constantFrom('GET', null),
  path,
  headers: predicates,
  queryParams: predicates,
  when: fc.constantFrom('true', null),
})

interface Written extends Ranked {
  readonly is: Match
}
const entry: fc.Arbitrary<Written> = fc
  .record({
    is: match,
    createdMs: fc.nat(2),
    namespace: fc.constantFrom('m', 'n'),
    name: fc.constantFrom('r', 's'),
    position: fc.nat(1),
    match: fc.nat(1),
  })
  .map((made) => ({ ...made, rule: `${made.namespace}/${made.name}`, rank: rankOf(made.is) }))

type Question = (one: Written) => number | string

const literals: Question = ({ is: { path: of } }) =>
  of.kind === 'segments' ? of.segments.filter((one) => 'literal' in one).length : 0

/** The table of the documentation, read aloud: the first question with two answers decides. */
const QUESTIONS: readonly Question[] = [
  ({ is }) => {
    if (is.path.kind === 'any') return 4
    if (is.path.kind === 'regex') return 3
    if (is.path.end === 'below') return 2
    return is.path.segments.every((one) => 'literal' in one) ? 0 : 1
  },
  ({ is: { path: of } }) =>
    of.kind === 'segments' && of.end === 'below' ? -of.segments.length : 0,
  (one) => {
    const exact =
      one.is.path.kind === 'segments' && one.is.path.segments.every((it) => 'literal' in it)
    const below = one.is.path.kind === 'segments' && one.is.path.end === 'below'
    return exact && !below ? 0 : -Number(literals(one))
  },
  ({ is }) => (is.method === null ? 1 : 0),
  ({ is }) => -is.headers.length,
  ({ is }) => -is.queryParams.length,
  ({ is }) => (is.when === null ? 1 : 0),
  ({ createdMs }) => createdMs,
  ({ namespace }) => namespace,
  ({ name }) => name,
  ({ position }) => position,
  ({ match: at }) => at,
]

function plainlyFirst(a: Written, b: Written): boolean {
  const question = QUESTIONS.find((ask) => ask(a) !== ask(b))
  return question !== undefined && question(a) < question(b)
}

test('the ranks put rules in the order that the plain twin puts them', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 12, size: 'max' }), (entries) => {
      const sorted = inPrecedence(entries) as readonly Written[]
      for (const [i, one] of sorted.entries()) {
        for (const later of sorted.slice(i + 1)) assert.ok(!plainlyFirst(later, one))
      }
    }),
  )
})

test('the order does not depend on the order of what came in', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(entry, {
        selector: ({ rule, position, match: at }) => `${rule} ${position} ${at}`,
      }),
      (entries) => {
        assert.deepEqual(inPrecedence(entries.toReversed()), inPrecedence(entries))
      },
    ),
  )
})

test('an exact path comes before a template, a template before a prefix, a prefix before a regex', () => {
  const of = (is: PathPattern): Match => ({
    method: null,
    path: is,
    headers: [],
    queryParams: [],
    when: null,
  })
  const paths: PathPattern[] = [
    { kind: 'segments', segments: [{ literal: 'a' }], end: 'exact' },
    { kind: 'segments', segments: [{ literal: 'a' }, { param: 'x' }], end: 'exact' },
    { kind: 'segments', segments: [{ param: 'x' }], end: 'exact' },
    { kind: 'segments', segments: [{ literal: 'a' }, { literal: 'b' }], end: 'below' },
    { kind: 'segments', segments: [{ literal: 'a' }], end: 'below' },
    { kind: 'segments', segments: [], end: 'below' },
    { kind: 'regex', pattern: '/.*' },
    { kind: 'any' },
  ]
  const entries = paths.map(
    (is, i): Ranked => ({
      createdMs: 0,
      namespace: 'n',
      name: 'r',
      position: 0,
      rule: String(i),
      match: 0,
      rank: rankOf(of(is)),
    }),
  )
  assert.deepEqual(
    inPrecedence(entries.toReversed()).map(({ rule }) => rule),
    entries.map(({ rule }) => rule),
  )
})

test('the older comes first, and of equals the one whose name does', () => {
  const aged = (createdMs: number, name: string) => ({ createdMs, namespace: 'n', name })
  const list = [aged(2, 'a'), aged(1, 'c'), aged(1, 'b')]
  assert.deepEqual(
    oldestFirst(list).map(({ name }) => name),
    ['b', 'c', 'a'],
  )
  assert.deepEqual(
    inOrderOfText(list, ({ name }) => name).map(({ name }) => name),
    ['a', 'b', 'c'],
  )
})
