/**
 * Heads of answers.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeExchange } from '../../../test/fake/exchange.ts'
import { fakeRule } from '../../../test/fake/rule.ts'
import { FakeStream } from '../../../test/fake/runtime.ts'
import { fail } from '../../request/failure.ts'
import { headerLines, headerValue } from '../../request/headers.ts'
import type { AnswerBody, Respond } from '../../request/outcome.ts'
import { ExpressionFailure } from '../../runtime/expression-types.ts'
import type { PreparedHeader, PreparedRule } from '../../runtime/runtime.ts'
import { type Head, headOf, problemHead } from './head.ts'

const STREAM: AnswerBody = { kind: 'stream', stream: new FakeStream(5) }
const BYTES: AnswerBody = { kind: 'bytes', bytes: Buffer.from('hello') }
const EMPTY: AnswerBody = { kind: 'empty' }

function respond(status: number, body: AnswerBody, headers: readonly string[] = []): Respond {
  return { kind: 'respond', status, headers, body, by: 'upstream' }
}

function head(answer: Respond, method = 'GET', rule: PreparedRule | null = null): Head {
  const { exchange } = fakeExchange({ method })
  exchange.rule = rule
  const found = headOf(answer, exchange)
  assert(!('kind' in found))
  return found
}

function lengthOf({ headers }: Head): string | null {
  return headerLines(headers, 'content-length').join() || null
}

test('no answer without content has a body or lies about it', () => {
  const declared = ['Content-Length', '5']
  for (const status of [204, 205]) {
    const seen = head(respond(status, STREAM, declared))
    assert.deepEqual([seen.content, lengthOf(seen)], ['none', null])
  }
  const unmodified = head(respond(304, STREAM, declared))
  assert.deepEqual([unmodified.content, lengthOf(unmodified)], ['none', '5'])
  const headed = head(respond(200, STREAM, declared), 'HEAD')
  assert.deepEqual([headed.content, lengthOf(headed)], ['none', '5'])
  const fixed = head(respond(200, BYTES), 'HEAD')
  assert.deepEqual([fixed.content, lengthOf(fixed)], ['none', '5'])
})

test('an answer of ours has exactly one length, and it is true', () => {
  const bytes = head(respond(200, BYTES, ['content-length', '7']))
  assert.deepEqual([bytes.content, lengthOf(bytes)], ['some', '5'])
  const empty = head(respond(200, EMPTY))
  assert.deepEqual([empty.content, lengthOf(empty)], ['some', '0'])
})

test('what is streamed keeps the headers of its backend, in order and case', () => {
  const headers = ['Set-Cookie', 'a=1', 'X-A', '1', 'Set-Cookie', 'b=2', 'Content-Length', '5']
  assert.deepEqual(head(respond(200, STREAM, headers)).headers, headers)
})

function ruleWith(added: readonly PreparedHeader[], removed: readonly string[]): PreparedRule {
  return fakeRule({
    responseHeaders: { removed, removedFolded: [], added },
  })
}

test('the edits of a rule apply to every answer', () => {
  const rule = ruleWith([{ name: 'x-set', value: 'new', onFailure: 'remove' }], ['server', 'x-set'])
  const seen = head(respond(200, STREAM, ['Server', 'x', 'X-Set', 'old', 'A', '1']), 'GET', rule)
  assert.deepEqual(seen.headers, ['A', '1', 'x-set', 'new'])
})

test('an edit cannot disguise a failure', () => {
  const { exchange } = fakeExchange()
  const added: PreparedHeader[] = [
    { name: 'content-type', value: 'text/html', onFailure: 'remove' },
    { name: 'content-length', value: '1', onFailure: 'remove' },
    { name: 'strict-transport-security', value: 'max-age=1', onFailure: 'remove' },
  ]
  exchange.rule = ruleWith(added, ['x-fairlead-cause', 'content-type', 'content-length'])
  const { headers, status, body } = problemHead(fail('forbidden', 'No.'), exchange)
  assert.equal(status, 403)
  assert.equal(headerValue(headers, 'content-type'), 'application/problem+json')
  assert.equal(headerValue(headers, 'content-length'), String(body.length))
  assert.equal(headerValue(headers, 'x-fairlead-cause'), 'forbidden')
  assert.equal(headerValue(headers, 'strict-transport-security'), 'max-age=1')
})

test('a required header that cannot be computed fails the answer', () => {
  const failing = new ExpressionFailure('absent')
  const value = { render: () => failing, value: () => failing }
  const { exchange } = fakeExchange()
  exchange.rule = ruleWith([{ name: 'x-must', value, onFailure: 'refuse' }], [])
  const found = headOf(respond(200, EMPTY), exchange)
  assert('kind' in found)
  assert.equal(found.cause, 'header-missing')
  assert.equal(problemHead(found, exchange).status, 403)
})

test('our word on limits takes the place of what a backend says of its own', () => {
  const { exchange } = fakeExchange()
  const standing = { name: 'a', count: 1, periodS: 1, remaining: 0, resetS: 1 }
  exchange.taken = { held: [], observed: [], standings: [standing] }
  const found = headOf(respond(200, STREAM, ['RateLimit', '"b";r=9', 'X', '1']), exchange)
  assert(!('kind' in found))
  assert.deepEqual(headerLines(found.headers, 'ratelimit'), ['"a";r=0;t=1'])
  const problem = problemHead(fail('rate-limited', 'Wait.'), exchange)
  assert.deepEqual(headerLines(problem.headers, 'ratelimit-policy'), ['"a";q=1;w=1'])
})
