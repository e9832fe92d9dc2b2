/**
 * Spellings of header names by which a client could speak for the gateway.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { clientHeaders, foldedName } from './client-headers.ts'

const names = clientHeaders(new Set([foldedName('X-User')]))

test('no spelling of a name that the gateway sets passes', () => {
  const spellings = fc
    .constantFrom('x-user', 'x-consumer-name', 'x-consumer-anything', 'x-fairlead-cause')
    .chain((name) => {
      const parts = Array.from(name, (c) =>
        c === '-'
          ? fc.constantFrom('-', '_', '.', '~', '!', '|')
          : fc.constantFrom(c, c.toUpperCase()),
      )
      return fc.tuple(...parts).map((characters) => characters.join(''))
    })
  fc.assert(fc.property(spellings, (name) => assert.equal(names.of(name).treatment, 'drop')))
  // Kelvin sign and long s fold to k and s, as bytes of UTF-8 too; a name cannot hold either.
  for (const name of [
    'x-u\u017fer',
    'x-u\u00c5\u00bfer',
    'x-fairle\u0430d-a',
    'x user',
    'x-user ',
    '',
  ]) {
    assert.equal(names.of(name).treatment, 'drop', name)
  }
})

test('what belongs to the connection or frames the message never passes', () => {
  const own =
    'Host Content-Length Transfer-Encoding TE Trailer Upgrade Keep-Alive Expect X-Request-Id'
  for (const name of own.split(' ')) assert.equal(names.of(name).treatment, 'drop', name)
  assert.equal(names.of('Content_Length').treatment, 'drop')
  assert.equal(names.of('Connection').treatment, 'connection')
  assert.equal(names.of('X-Forwarded-For').treatment, 'forwarded')
  assert.equal(names.of('x_forwarded_for').treatment, 'forwarded')
  assert.equal(names.of('Forwarded').treatment, 'forwarded')
  assert.equal(names.of('COOKIE').treatment, 'cookie')
  assert.equal(names.of('X-Username').treatment, 'pass')
  assert.equal(names.of('constructor').treatment, 'pass')
})

test('a client that sends ever new names cannot fill the memory', () => {
  for (let i = 0; i < 10_000; i++) assert.equal(names.of(`x-new-${i}`).lower, `x-new-${i}`)
  assert.equal(names.of(`x-user-${'a'.repeat(100)}`).treatment, 'pass')
  assert.equal(names.of('X-USER').treatment, 'drop')
})
