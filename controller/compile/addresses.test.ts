/**
 * Client addresses of rules.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AddressesSpec } from '../../crds/traffic.ts'
import { compileAddresses } from './addresses.ts'
import { FieldPath } from './problem.ts'

const AT = new FieldPath<AddressesSpec>('addresses')

test('what is not written denies nobody', () => {
  const deny = ['10.6.6.6/32']
  assert.deepEqual(compileAddresses({ deny }, AT).value, { allow: null, deny })
  const allow = ['10.0.0.0/8']
  assert.deepEqual(compileAddresses({ allow }, AT).value, { allow, deny: [] })
})

test('a range that nobody can read is refused, not left out', () => {
  const spec = { allow: ['10.0.0.0/8', '1::2::3/64'], deny: ['::::/0'] }
  const { value, problems } = compileAddresses(spec, AT)
  assert.deepEqual(
    problems.map(({ path }) => path),
    ['addresses.allow[1]', 'addresses.deny[0]'],
  )
  assert.deepEqual(value, { allow: [], deny: [] })
})
