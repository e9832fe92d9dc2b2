/**
 * How long answers are kept.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Cache } from '#wire/traffic'
import { directivesOf, lifetimeOf } from './freshness.ts'

const NOW_MS = Date.parse('Tue, 24 Nov 2026 12:00:00 GMT')
const RULE: Cache = { ttlS: 60, audience: 'private', by: [], staleIfErrorS: 0 }

interface Said {
  readonly maxAge: number | null
  readonly sMaxAge: number | null
  readonly expiresIn: number | null
  readonly words: readonly string[]
  readonly age: number | null
  readonly madeAgo: number
}

function headersOf({ maxAge, sMaxAge, expiresIn, words, age, madeAgo }: Said): string[] {
  const at = (ms: number): string => new Date(ms).toUTCString()
  const directives = [
    ...words,
    ...(maxAge === null ? [] : [`max-age=${maxAge}`]),
    ...(sMaxAge === null ? [] : [`s-maxage="${sMaxAge}"`]),
  ]
  const madeMs = NOW_MS - madeAgo * 1000
  return [
    'Date',
    at(madeMs),
    ...(directives.length === 0 ? [] : ['Cache-Control', directives.join(', ')]),
    ...(expiresIn === null ? [] : ['Expires', at(madeMs + expiresIn * 1000)]),
    ...(age === null ? [] : ['Age', String(age)]),
  ]
}

/** RFC 9111 sections 3 and 3.5. */
function plainlyForbidden(said: Said, rule: Cache, authorization: 'sent' | 'none'): boolean {
  const has = (word: string): boolean => said.words.includes(word)
  const forOthers = has('public') || has('must-revalidate') || said.sMaxAge !== null
  const lacksWord = authorization === 'sent' && !forOthers
  const notShared = rule.audience === 'shared' && (has('private') || lacksWord)
  return has('no-store') || has('no-cache') || notShared
}

/** Sections 4.2.1 and 4.2.3. */
function plain(said: Said, rule: Cache, authorization: 'sent' | 'none'): number | null {
  if (plainlyForbidden(said, rule, authorization)) return null
  const forAll = rule.audience === 'shared' ? said.sMaxAge : null
  const own = forAll ?? said.maxAge ?? said.expiresIn ?? rule.ttlS
  const left = Math.min(rule.ttlS, own) - Math.max(said.age ?? 0, said.madeAgo)
  return left > 0 ? left : null
}

const seconds = fc.integer({ min: 0, max: 100 })
const said: fc.Arbitrary<Said> = fc.record({
  maxAge: fc.option(seconds),
  sMaxAge: fc.option(seconds),
  expiresIn: fc.option(seconds),
  words: fc.subarray(['no-store', 'no-cache', 'private', 'public', 'must-revalidate'], {
    maxLength: 2,
  }),
  age: fc.option(seconds),
  madeAgo: fc.integer({ min: 0, max: 30 }),
})

test('an answer is kept for as long as the plain twin says', () => {
  const audience = fc.constantFrom<Cache['audience']>('private', 'shared')
  const authorization = fc.constantFrom<'sent' | 'none'>('sent', 'none')
  fc.assert(
    fc.property(said, audience, authorization, seconds, (one, whom, sent, ttlS) => {
      const rule = { ...RULE, audience: whom, ttlS }
      const headers = headersOf(one)
      const found = lifetimeOf({ status: 200, headers, nowMs: NOW_MS, authorization: sent }, rule)
      const left = found === null ? null : found.freshS - found.ageS
      assert.equal(left, plain(one, rule, sent), headers.join('|'))
    }),
    { numRuns: 5_000 },
  )
})

function isKept(headers: readonly string[], status = 200): boolean {
  const answer = { status, headers, nowMs: NOW_MS, authorization: 'none' } as const
  return lifetimeOf(answer, RULE) !== null
}

test('what cannot be read, or is for one moment or one client, is not kept', () => {
  assert.equal(isKept([]), true)
  for (const headers of [
    ['Cache-Control', 'max-age=soon'],
    ['Cache-Control', 'max-age=-1'],
    ['Cache-Control', 'NO-STORE'],
    ['Cache-Control', 'no-cache="set-cookie"'],
    ['Cache-Control', 'max-age=60', 'cache-control', 'no-store'],
    ['Expires', '0'],
    ['Age', 'old'],
    ['Set-Cookie', 'a=b'],
    ['Vary', 'accept, *'],
  ]) {
    assert.equal(isKept(headers), false, headers.join(': '))
  }
  for (const status of [201, 204, 206, 302, 304, 403, 500, 503]) {
    assert.equal(isKept([], status), false, String(status))
  }
})

test('of a directive that stands twice the first one counts', () => {
  const found = directivesOf(['Cache-Control', 'max-age=1, Max-Age=2, a="b, no-store", c'])
  assert.deepEqual(
    [...found],
    [
      ['max-age', '1'],
      ['a', 'b, no-store'],
      ['c', ''],
    ],
  )
})
