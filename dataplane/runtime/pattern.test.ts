/**
 * Patterns: RE2 beside JavaScript's engine where both have the same syntax, and their bounds.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RE2JS } from '@bufbuild/re2'
import fc from 'fast-check'
import { PATTERN_BYTES_MAX, PATTERN_INPUT_BYTES_MAX } from '#wire/limits'
import { preparePattern, type Pattern } from './pattern.ts'

function prepared(pattern: string): Pattern {
  const made = preparePattern(pattern)
  assert.ok(!('kind' in made), pattern)
  return made
}

/** What RE2 and JavaScript read alike. */
const pattern = fc.letrec<{ p: string }>((tie) => ({
  p: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constantFrom(
      'a',
      'b',
      '/',
      '.',
      '[ab]',
      '[^a]',
      String.raw`\d`,
      String.raw`\b`,
      '^',
      '$',
      '',
    ),
    fc.tuple(tie('p'), tie('p')).map(([one, other]) => one + other),
    fc.tuple(tie('p'), tie('p')).map(([one, other]) => `(?:${one}|${other})`),
    fc
      .tuple(tie('p'), fc.constantFrom('*', '+', '?', '*?', '{1,2}'))
      .map(([p, n]) => `(?:${p})${n}`),
    tie('p').map((p) => `(${p})`),
  ),
})).p

/** Numbers the groups, so that none repeats a name. */
function named(text: string): string {
  let count = 0
  return text.replaceAll(/\((?!\?)/g, () => `(?P<g${count++}>`)
}

const text = fc.array(fc.constantFrom('a', 'b', '/', '1', ' ', '\n', 'é', '😀'), { maxLength: 8 })

test('a pattern matches as the library and another engine say', () => {
  fc.assert(
    fc.property(pattern, text, (source, characters) => {
      const subject = characters.join('')
      const [ours, library] = [prepared(source), RE2JS.compile(source)]
      assert.equal(ours.test(subject), library.testExact(subject), `${source} on ${subject}`)
      assert.equal(ours.find(subject), library.test(subject), `${source} in ${subject}`)
      // V8 does not find /[^a]$(?:)*/u in a character beyond 16 bits
      if (subject.includes('😀')) return
      const js = new RegExp(source, 'u')
      assert.equal(ours.find(subject), js.test(subject), `${source} in ${subject}`)
    }),
    { numRuns: 3000 },
  )
})

test('groups agree with the whole match, and with another engine', () => {
  fc.assert(
    fc.property(pattern, text, (source, characters) => {
      const subject = characters.join('')
      const re2 = prepared(named(source))
      const js = new RegExp(`^(?:${named(source).replaceAll('?P<', '?<')})$`, 'u')
      const groups = re2.groups(subject)
      const agree = subject.includes('😀') || re2.test(subject) === js.test(subject)
      assert.ok(agree, `${source} on ${subject}`)
      assert.equal(groups !== null, re2.test(subject))
      if (groups === null || /[*+?}]/.test(source)) return // empty rounds of loops differ
      const theirs = Object.entries(js.exec(subject)?.groups ?? {}).filter(
        ([, v]) => v !== undefined,
      )
      assert.deepEqual({ ...groups }, Object.fromEntries(theirs), `${source} on ${subject}`)
    }),
    { numRuns: 3000 },
  )
})

test('named groups become params, as many as took part', () => {
  const route = prepared('/(?P<kind>books|films)/(?<id>[0-9]+)(?:/(?P<part>.*))?')
  assert.deepEqual({ ...route.groups('/books/12/a/b') }, { kind: 'books', id: '12', part: 'a/b' })
  assert.deepEqual({ ...route.groups('/films/7') }, { kind: 'films', id: '7' })
  assert.equal(route.groups('/films/x'), null)
  assert.deepEqual({ ...prepared('(?P<x>é+😀)').groups('éé😀') }, { x: 'éé😀' })
  assert.deepEqual({ ...prepared('(?P<a>a*?)(?P<b>a*)').groups('aaa') }, { a: '', b: 'aaa' })
  assert.deepEqual({ ...prepared('(?i)(?P<a>ABC)').groups('abc') }, { a: 'abc' })
})

test('a pattern is anchored at both ends, and find is not', () => {
  const digits = prepared('[0-9]+|a')
  assert.equal(digits.test('12'), true)
  assert.equal(digits.test('12b'), false)
  assert.equal(digits.test('b12'), false)
  assert.equal(digits.find('b12b'), true)
  assert.equal(prepared('').test(''), true)
})

test('a pattern beyond its bounds is refused', () => {
  const refused = [
    String.raw`(\pL|\pN|_){900}`,
    '/(.*a.{900})',
    'a{1001}',
    '(a{30}){30}',
    'a'.repeat(PATTERN_BYTES_MAX + 1),
    '(',
    String.raw`(a)\1`,
    '(?=a)',
    '(?P<a>x)(?P<a>y)',
  ]
  for (const source of refused) {
    const made = preparePattern(source)
    assert.equal('kind' in made ? made.kind : 'prepared', 'refused', source)
  }
})

test('an input beyond its bound matches nothing', () => {
  const any = prepared('(?s).*')
  assert.equal(any.test('x'.repeat(PATTERN_INPUT_BYTES_MAX)), true)
  assert.equal(any.test('x'.repeat(PATTERN_INPUT_BYTES_MAX + 1)), false)
  assert.equal(any.find('é'.repeat(PATTERN_INPUT_BYTES_MAX / 2 + 1)), false)
  assert.equal(any.groups('x'.repeat(PATTERN_INPUT_BYTES_MAX + 1)), null)
})

test('hostile inputs of legal patterns take milliseconds', () => {
  const path = `/${'aé1_'.repeat(1600)}`
  const hostile = [
    String.raw`/(?P<x>(?:\pL|\pN|_){200})*`,
    '/(?P<x>.*a.{230})',
    '(?P<x>(a|a|a|a|a)*)(?P<y>(a|é|1|_|/)*)',
    '(?P<x>(.*)(.*)(.*)(.*)(.*)(.*))x',
  ]
  for (const source of hostile) {
    const made = prepared(source)
    const started = process.hrtime.bigint()
    made.groups(path)
    made.find(path)
    const ms = Number(process.hrtime.bigint() - started) / 1e6
    assert.ok(ms < 1500, `${source}: ${ms} ms`)
  }
})
