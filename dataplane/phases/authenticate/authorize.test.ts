/**
 * Proves authorize.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Authorize, DENY_DETAIL } from '#wire/auth'
import { fakeExchange } from '../../../test/fake/exchange.ts'
import type { Prepared } from '../../runtime/expression-types.ts'
import { createExpressions } from '../../runtime/expression.ts'
import { PolicyAuthorizer } from './authorize.ts'
import { anonymousCaller, type Caller } from './caller.ts'

const expressions = createExpressions()

function prepared(text: string | null): Prepared | null {
  if (text === null) return null
  const found = expressions.prepare(text)
  assert.ok(!('because' in found))
  return found
}

function answer(parts: Partial<Authorize>, caller: Partial<Caller> = {}): string {
  const entry: Authorize = {
    scopes: [],
    require: null,
    when: null,
    deny: { status: 403, cause: 'forbidden', detail: DENY_DETAIL },
    ...parts,
  }
  const authorizer = new PolicyAuthorizer(entry, {
    when: prepared(entry.when),
    require: prepared(entry.require),
  })
  const { exchange } = fakeExchange()
  const failure = authorizer.authorize(exchange, { ...anonymousCaller('guest'), ...caller })
  if (failure === null) return 'passes'
  return [failure.status, failure.cause, failure.word, failure.detail, ...failure.headers].join(' ')
}

test('an expression that fails at run time refuses', () => {
  const failing = '1 / (size(auth.groups) - size(auth.groups)) == 1'
  assert.match(answer({ require: failing }), /^403 forbidden/)
  assert.match(answer({ require: 'true', when: failing }), /^403 forbidden/)
  assert.match(answer({ require: 'auth.claims.role' }), /^403 forbidden/)
  assert.match(answer({ require: '"yes"' }), /^403 forbidden/)
  assert.match(answer({ scopes: ['a'], when: failing }, { scopes: ['a'] }), /^403 insufficient/)
})

test('who satisfies it passes, and it counts only where its condition holds', () => {
  assert.equal(answer({ require: 'auth.method == "guest"' }), 'passes')
  assert.match(answer({ require: 'auth.method == "staff"' }), /^403/)
  assert.equal(answer({ require: 'false', when: 'request.method == "POST"' }), 'passes')
  assert.match(answer({ require: 'false', when: 'request.method == "GET"' }), /^403/)
})

test('all scopes are needed, and the answer names them', () => {
  const scopes = ['books.read', 'books.write']
  assert.equal(answer({ scopes }, { scopes: ['x', ...scopes] }), 'passes')
  assert.match(
    answer({ scopes }, { scopes: ['books.read'] }),
    /^403 insufficient-scope .*error="insufficient_scope", scope="books.read books.write"$/,
  )
})

test('a policy may choose status, word and text; the cause stays ours', () => {
  const deny = { status: 402, cause: 'unpaid', detail: 'Pay first.' }
  assert.equal(answer({ require: 'false', deny }), '402 forbidden unpaid Pay first.')
  assert.match(answer({ scopes: ['a'], deny }), /^402 insufficient-scope unpaid Pay first\./)
  const own = { status: 403, cause: 'insufficient-scope', detail: 'x' }
  assert.match(answer({ scopes: ['a'], deny: own }), /^403 insufficient-scope {2}x/)
})
