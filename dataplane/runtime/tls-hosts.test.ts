/**
 * Proves which statement over a name holds.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { covers, tlsHosts, type TlsHost } from './tls-hosts.ts'

function hosts(...names: readonly string[]) {
  const host = (set: string): TlsHost => ({ set, http: 'serve', certificates: [] })
  return tlsHosts(new Map(names.map((name) => [name, host(name)])))
}

test('the nearest statement over a name holds', () => {
  const known = hosts('a.shop.test', '*.shop.test', '*.test', '*')
  for (const [name, holds] of [
    ['a.shop.test', 'a.shop.test'],
    ['b.shop.test', '*.shop.test'],
    ['x.a.shop.test', '*.shop.test'],
    ['shop.test', '*.test'],
    ['test', '*'],
    [null, '*'],
  ] as const) {
    assert.equal(known?.of(name)?.set, holds)
  }
  assert.equal(hosts('a.test')?.of('b.test'), null)
  assert.equal(hosts('a.test')?.of(null), null)
  assert.equal(hosts(), null)
})

test('a certificate is for its names, an asterisk for one label', () => {
  assert.equal(covers(['*.a.test', 'b.test'], 'x.a.test'), 'yes')
  assert.equal(covers(['*.a.test', 'b.test'], 'b.test'), 'yes')
  assert.equal(covers(['*.a.test'], 'x.y.a.test'), 'no')
  assert.equal(covers(['*.a.test'], 'a.test'), 'no')
  assert.equal(covers([], 'a.test'), 'no')
})
