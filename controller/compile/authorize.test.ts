/**
 * Conditions that callers must meet.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuthorizeEntrySpec } from '../../crds/auth-policy.ts'
import { DENY_DETAIL, SCOPES_DETAIL } from '#wire/auth'
import { compileAuthorize } from './authorize.ts'
import { FieldPath } from './problem.ts'

const AT = new FieldPath<AuthorizeEntrySpec>('authorize.x')

test('what an answer does not say has the documented default', () => {
  const scopes = compileAuthorize({ scopes: ['a', 'b', 'a'] }, AT).value
  assert.deepEqual(scopes?.scopes, ['a', 'b'])
  assert.equal(scopes?.deny.status, 403)
  assert.equal(scopes?.deny.cause, 'insufficient-scope')
  assert.equal(scopes?.deny.detail, SCOPES_DETAIL)
  const require = compileAuthorize({ require: 'consumer.state == "Active"' }, AT).value
  assert.equal(require?.require, 'consumer.state == "Active"')
  assert.equal(require?.deny.cause, 'forbidden')
  assert.equal(require?.deny.detail, DENY_DETAIL)
})

test('an answer of its own keeps what is written', () => {
  const deny = { status: 402, cause: 'suspended', detail: 'See the portal.' }
  assert.deepEqual(compileAuthorize({ scopes: ['a'], deny }, AT).value?.deny, deny)
})

test('a condition that cannot be judged leaves nothing to enforce', () => {
  const broken: readonly AuthorizeEntrySpec[] = [
    { require: 'calls.a.ok' },
    { require: 'auth.method' },
    { scopes: ['a'], when: 'request.methd == "GET"' },
    {},
    { scopes: [] },
  ]
  for (const spec of broken) {
    const { value, problems } = compileAuthorize(spec, AT)
    assert.equal(value, null, JSON.stringify(spec))
    assert.equal(problems.length, 1, JSON.stringify(spec))
  }
})
