/**
 * The rules of trying again, against a plain reading of them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { fail } from '../request/failure.ts'
import { afterFailure, afterStatus, backoffMs, type Tries, withinBudget } from './retry.ts'
import { type PreparedRetry, prepareRetry } from './delivery.ts'

const RETRY = fc.record({
  attempts: fc.integer({ min: 1, max: 5 }),
  causes: fc.subarray(['connect', 'reset', 'timeout'] as const),
  statuses: fc.subarray([500, 502, 503]),
  methods: fc.subarray(['GET', 'POST', 'PUT']),
  perTryMs: fc.constant(null),
  backoff: fc.constant({ baseMs: 25, maxMs: 250 }),
  budgetPerMille: fc.constant(200),
})
const TRIES: fc.Arbitrary<Tries> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT'),
  made: fc.integer({ min: 1, max: 5 }),
  stale: fc.integer({ min: 0, max: 1 }),
  body: fc.constantFrom('none', 'kept', 'gone'),
  turn: fc.constantFrom('fresh', 'reused'),
})
const CAUSE = {
  'upstream-connect': 'connect',
  'upstream-reset': 'reset',
  'upstream-timeout': 'timeout',
} as const

function isStale(cause: keyof typeof CAUSE, { turn, stale, method, body }: Tries): boolean {
  const isFirst = turn === 'reused' && stale === 0
  return cause === 'upstream-reset' && isFirst && method === 'GET' && body === 'none'
}

function isAllowed(
  cause: keyof typeof CAUSE,
  { made, method }: Tries,
  retry: PreparedRetry | null,
): boolean {
  if (retry === null || made >= retry.attempts || !retry.causes.has(CAUSE[cause])) return false
  return cause === 'upstream-connect' || retry.methods.has(method)
}

/** Sent at all, sent twice at most where safe, and else only where the rule has said so. */
function mayAskAgain(
  cause: keyof typeof CAUSE,
  tries: Tries,
  retry: PreparedRetry | null,
): 'yes' | 'no' {
  if (tries.body === 'gone') return 'no'
  if (cause === 'upstream-connect' && retry === null) return tries.made < 3 ? 'yes' : 'no'
  return isStale(cause, tries) || isAllowed(cause, tries, retry) ? 'yes' : 'no'
}

test('agrees with the plain reading of the rules', () => {
  const causes = fc.constantFrom('upstream-connect', 'upstream-reset', 'upstream-timeout')
  fc.assert(
    fc.property(causes, TRIES, fc.option(RETRY), (cause, tries, stated) => {
      const retry = stated === null ? null : prepareRetry(stated)
      const verdict = afterFailure(fail(cause, 'No.'), tries, retry)
      assert.equal(verdict === 'no' ? 'no' : 'yes', mayAskAgain(cause, tries, retry))
    }),
    { numRuns: 2_000 },
  )
})

test('an answer that cannot be read is never asked for again', () => {
  fc.assert(
    fc.property(TRIES, RETRY, (tries, retry) => {
      const failure = fail('upstream-invalid', 'No.')
      assert.equal(afterFailure(failure, tries, prepareRetry(retry)), 'no')
    }),
  )
})

test('a status asks again only where the rule names it, the method, and attempts are left', () => {
  fc.assert(
    fc.property(TRIES, RETRY, fc.constantFrom(200, 500, 503), (tries, retry, status) => {
      const expected =
        tries.body !== 'gone' &&
        retry.statuses.includes(status) &&
        retry.methods.includes(tries.method) &&
        tries.made < retry.attempts
      const verdict = afterStatus(status, tries, prepareRetry(retry))
      assert.equal(verdict, expected ? 'later' : 'no')
    }),
  )
})

test('waits are drawn from all of a range that doubles up to its bound', () => {
  const retry = prepareRetry({
    attempts: 9,
    causes: [],
    statuses: [],
    methods: [],
    perTryMs: null,
    backoff: { baseMs: 25, maxMs: 250 },
    budgetPerMille: 200,
  })
  const highest = [1, 2, 3, 4, 5, 9].map((made) => backoffMs(retry, made, () => 1))
  assert.deepEqual(highest, [25, 50, 100, 200, 250, 250])
  assert.equal(
    backoffMs(retry, 3, () => 0),
    0,
  )
})

test('a budget is a share of what is under way, and three in any case', () => {
  assert.deepEqual(
    [
      withinBudget(200, 1, 2),
      withinBudget(200, 1, 3),
      withinBudget(200, 100, 19),
      withinBudget(200, 100, 20),
      withinBudget(0, 100, 3),
    ],
    ['yes', 'no', 'yes', 'no', 'no'],
  )
})
