/**
 * Promises of values.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressOf, graceMsOf, UsageFailure, valuesOf } from './values.ts'

test('a flag counts before its variable, and that before the default', () => {
  assert.equal(valuesOf('dev', {}, {}).get('grace'), '30s')
  assert.equal(valuesOf('dev', {}, { FAIRLEAD_GRACE: '5s' }).get('grace'), '5s')
  assert.equal(valuesOf('dev', { grace: '1s' }, { FAIRLEAD_GRACE: '5s' }).get('grace'), '1s')
  assert.equal(valuesOf('dev', {}, {}).has('workers'), false)
})

test('a bad value is named with its flag and what would fit', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['http', 'localhost', /--http: "localhost" is not HOST:PORT/],
    ['http', '1.2.3.4:99999', /--http/],
    ['grace', '30', /--grace: "30" is not a duration/],
    ['workers', '0', /--workers: "0" is not a whole number/],
    ['state', '', /--state: "" is not a path/],
    ['quiet', 'no', /--quiet: "no" is not true/],
  ]
  for (const [flag, text, message] of cases) {
    assert.throws(
      () => valuesOf('dev', { [flag]: text }, {}),
      (error) => {
        return error instanceof UsageFailure && message.test(error.message)
      },
    )
  }
})

test('an unknown variable is an error with a suggestion; those that Kubernetes sets are none', () => {
  assert.throws(
    () => valuesOf('dev', {}, { FAIRLEAD_GRASE: '1s' }),
    /did you mean FAIRLEAD_GRACE\?/,
  )
  assert.throws(() => valuesOf('dev', {}, { FAIRLEAD_QWERTYUIOP: '1' }), /see --help/)
  // A variable of another command would not help.
  assert.throws(
    () => valuesOf('dev', {}, { FAIRLEAD_CB: '1' }),
    /unknown variable FAIRLEAD_CB; see/,
  )
  const links = {
    FAIRLEAD_CONTROLLER_SERVICE_HOST: '10.0.0.1',
    FAIRLEAD_CONTROLLER_PORT: 'tcp://10.0.0.1:9443',
    FAIRLEAD_CONTROLLER_PORT_9443_TCP_ADDR: '10.0.0.1',
    FAIRLEAD_PUBLIC_SERVICE_PORT_HTTP: '80',
  }
  assert.equal(valuesOf('dev', {}, links).get('grace'), '30s')
})

test('addresses are read as written', () => {
  assert.deepEqual(addressOf('[::1]:80'), { host: '::1', port: 80 })
  assert.deepEqual(addressOf('a.b-c:0'), { host: 'a.b-c', port: 0 })
  assert.equal(addressOf('http://x:80'), null)
})

test('a grace that no timer can hold is as long as one can', () => {
  assert.equal(graceMsOf(valuesOf('dev', { grace: '1m30s' }, {})), 90_000)
  assert.equal(graceMsOf(valuesOf('dev', { grace: '99999h' }, {})), 2_147_483_647)
})
