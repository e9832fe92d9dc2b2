/**
 * How the client came, as the backend is told.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeExchange, headerList } from '../../../test/fake/exchange.ts'
import type { Received } from '../../request/exchange.ts'
import { pushForwarded } from './forwarded.ts'

function forwarded(received: Partial<Received>): Record<string, string> {
  const headers: string[] = []
  pushForwarded(headers, fakeExchange(received).exchange)
  const pairs = headers.flatMap((name, i) => (i % 2 === 0 ? [[name, headers[i + 1] ?? '']] : []))
  return Object.fromEntries(pairs)
}

const SAID = headerList(`
    Host: shop.example.com:8080
    X-Forwarded-For: 198.51.100.1
    x-forwarded-for: 10.1.1.1
    X-Forwarded-Host: public.example.com
    Forwarded: for=198.51.100.1
  `)

test('only what a trusted proxy says is passed on, and we are appended', () => {
  const scheme = 'https' as const
  const peer = '10.0.0.9'
  assert.deepEqual(forwarded({ headers: SAID, peer, scheme, peerTrust: 'trusted' }), {
    'x-forwarded-for': '198.51.100.1, 10.1.1.1, 10.0.0.9',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'public.example.com',
    forwarded: 'for=198.51.100.1, for=10.0.0.9;host="shop.example.com:8080";proto=https',
  })
  assert.deepEqual(forwarded({ headers: SAID, peer, peerTrust: 'untrusted' }), {
    'x-forwarded-for': '10.0.0.9',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'shop.example.com:8080',
    forwarded: 'for=10.0.0.9;host="shop.example.com:8080";proto=http',
  })
})

test('IPv6 peers are written as each header wants them', () => {
  const seen = forwarded({ headers: ['host', 'a.b'], peer: '2001:db8::1' })
  assert.equal(seen['x-forwarded-for'], '2001:db8::1')
  assert.equal(seen['forwarded'], 'for="[2001:db8::1]";host=a.b;proto=http')
})

test('an empty word of a trusted proxy is none', () => {
  const headers = ['host', 'a.b', 'x-forwarded-for', ' ', 'x-forwarded-host', '']
  const seen = forwarded({ headers, peer: '10.0.0.9', peerTrust: 'trusted' })
  assert.equal(seen['x-forwarded-for'], '10.0.0.9')
  assert.equal(seen['x-forwarded-host'], 'a.b')
})
