/**
 * Proves forward.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeExchange } from '../../../test/fake/exchange.ts'
import { createExpressions } from '../../runtime/expression.ts'
import { createPreparer } from '../../runtime/preparer.ts'
import type { PreparedHeader } from '../../runtime/runtime.ts'
import { anonymousCaller, type Caller } from './caller.ts'
import { consumer } from './fake/policy.ts'
import { identityHeaders } from './forward.ts'

const preparer = createPreparer(createExpressions())

function header(name: string, expr: string, onFailure: 'remove' | 'refuse'): PreparedHeader {
  const found = preparer.header({ name, value: [{ expr }], onFailure })
  assert.ok(!('because' in found))
  return found
}

const STAFF: Caller = { ...anonymousCaller('staff'), anonymous: false, claims: { sub: 'u-1' } }

function sent(caller: Caller, headers: readonly PreparedHeader[] | null): unknown {
  const found = identityHeaders(fakeExchange().exchange, caller, headers)
  return found !== null && 'cause' in found ? found.cause : found
}

test('a header that cannot be computed is not sent, or nothing is', () => {
  const user = header('x-user', 'auth.claims.sub', 'refuse')
  assert.deepEqual(sent(STAFF, [user]), ['x-user', 'u-1'])
  assert.deepEqual(sent(STAFF, [header('x-org', 'auth.claims.org', 'remove'), user]), [
    'x-user',
    'u-1',
  ])
  assert.equal(sent(STAFF, [user, header('x-org', 'auth.claims.org', 'refuse')]), 'header-missing')
  assert.equal(sent(anonymousCaller('guest'), [header('x-a', 'auth.claims.sub', 'remove')]), null)
})

test('a value with control characters does not become a second header', () => {
  const evil: Caller = { ...STAFF, claims: { sub: 'a\r\nx-admin: 1' } }
  assert.equal(sent(evil, [header('x-user', 'auth.claims.sub', 'refuse')]), 'header-missing')
  assert.equal(sent(evil, [header('x-user', 'auth.claims.sub', 'remove')]), null)
})

test('the backend is told of the Consumer, and its groups', () => {
  assert.equal(sent(STAFF, null), null)
  const acme = consumer('acme', { groups: ['gold', 'a,b c'] })
  assert.deepEqual(sent({ ...STAFF, consumer: acme }, null), [
    'x-consumer-name',
    'partners/acme',
    'x-consumer-groups',
    'gold,a%2Cb%20c',
  ])
  assert.deepEqual(sent({ ...STAFF, consumer: consumer('acme') }, []), [
    'x-consumer-name',
    'partners/acme',
  ])
})
