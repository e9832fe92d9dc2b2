/**
 * Proves credential.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fakeExchange } from '../../../test/fake/exchange.ts'
import { afterScheme, type Place, readPlace } from './credential.ts'

function read(
  place: Place,
  parts: { readonly headers?: readonly string[]; readonly query?: string | null },
): string {
  const reading = readPlace(fakeExchange(parts).exchange, place)
  return reading.kind === 'presented' ? reading.text : `(${reading.kind})`
}

const AUTHORIZATION: Place = { kind: 'header', name: 'authorization' }
const SESSION: Place = { kind: 'cookie', name: 'session' }
const TOKEN: Place = { kind: 'queryParam', name: 'token' }

test('a place that is there twice is never read', () => {
  const twice = '(repeated)'
  const cookies = ['Cookie', 'session=a', 'cookie', 'session=b']
  assert.equal(
    read(AUTHORIZATION, { headers: ['Authorization', 'a', 'authorization', 'b'] }),
    twice,
  )
  assert.equal(read(AUTHORIZATION, { headers: ['Authorization', 'a', 'AUTHORIZATION', ''] }), twice)
  assert.equal(
    read(AUTHORIZATION, { headers: ['Authorization', 'a', 'Authorization', 'a'] }),
    twice,
  )
  assert.equal(read(SESSION, { headers: cookies }), twice)
  assert.equal(read(SESSION, { headers: ['Cookie', 'session=a; session=b'] }), twice)
  assert.equal(read(SESSION, { headers: ['Cookie', 'session=a;session='] }), twice)
  assert.equal(read(TOKEN, { query: 'token=a&token=b' }), twice)
  assert.equal(read(TOKEN, { query: 'token=a&%74oken=b' }), twice)
  assert.equal(read(TOKEN, { query: 'token&token=a' }), twice)
})

test('an empty place counts as absent', () => {
  const absent = '(absent)'
  assert.equal(read(AUTHORIZATION, { headers: [] }), absent)
  assert.equal(read(AUTHORIZATION, { headers: ['Authorization', ''] }), absent)
  assert.equal(read(AUTHORIZATION, { headers: ['Authorization', '  '] }), absent)
  assert.equal(read(SESSION, { headers: ['Cookie', 'session=; other=x'] }), absent)
  assert.equal(read(SESSION, { headers: ['Cookie', 'session'] }), absent)
  assert.equal(read(TOKEN, { query: 'token=' }), absent)
  assert.equal(read(TOKEN, { query: 'token' }), absent)
  assert.equal(read(TOKEN, { query: null }), absent)
})

test('a credential is read by its exact name', () => {
  assert.equal(read(AUTHORIZATION, { headers: ['x-authorization', 'a'] }), '(absent)')
  assert.equal(read(SESSION, { headers: ['Cookie', 'a=1; session=abc; my-session=x'] }), 'abc')
  assert.equal(read(SESSION, { headers: ['Cookie', 'Session=abc'] }), '(absent)')
  assert.equal(read(SESSION, { headers: ['Cookie', 'a=1', 'Cookie', 'session=a=b'] }), 'a=b')
  assert.equal(read(TOKEN, { query: 'Token=x&token=a%2Eb+c' }), 'a.b c')
  assert.equal(read(TOKEN, { query: 'tokens=x' }), '(absent)')
})

test('a scheme is compared without case and ends at a space', () => {
  assert.equal(afterScheme('Bearer abc', 'bearer'), 'abc')
  assert.equal(afterScheme('bEARER   abc', 'bearer'), 'abc')
  assert.equal(afterScheme('Bearer', 'bearer'), '')
  assert.equal(afterScheme('Bearerabc', 'bearer'), null)
  assert.equal(afterScheme('Bearer\tabc', 'bearer'), null)
  assert.equal(afterScheme('Basic abc', 'bearer'), null)
  assert.equal(afterScheme('B', 'bearer'), null)
})

test('headers at random are read as the plain twin reads them', () => {
  const name = fc.constantFrom('X-Key', 'x-key', 'x-kei', 'Cookie')
  const line = fc.tuple(name, fc.constantFrom('', 'a', 'b', 'x-key=a'))
  fc.assert(
    fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
      const mine = lines.filter(([one]) => one.toLowerCase() === 'x-key')
      const text = mine[0]?.[1] ?? ''
      const plain = mine.length > 1 ? '(repeated)' : text === '' ? '(absent)' : text
      assert.equal(read({ kind: 'header', name: 'x-key' }, { headers: lines.flat() }), plain)
    }),
  )
})
