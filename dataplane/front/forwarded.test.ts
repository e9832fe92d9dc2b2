/**
 * Proves who the client is, behind proxies that are trusted and others.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { TrustedProxies } from '../runtime/runtime.ts'
import { forwardedClient, peerAddress } from './forwarded.ts'

const TRUSTED: TrustedProxies = {
  trust: (address) => (address.startsWith('10.') ? 'trusted' : 'untrusted'),
}
const PEER = { ip: '10.0.0.1', scheme: 'http' } as const

function ipOf(...lines: readonly string[]): string {
  const headers = lines.flatMap((line) => ['X-Forwarded-For', line])
  return forwardedClient(headers, PEER, TRUSTED).ip
}

test('the nearest address that no trusted proxy has is the client', () => {
  assert.equal(ipOf(), '10.0.0.1')
  assert.equal(ipOf('192.0.2.1'), '192.0.2.1')
  assert.equal(ipOf('6.6.6.6, 192.0.2.1, 10.0.0.2'), '192.0.2.1')
  assert.equal(ipOf('6.6.6.6', '192.0.2.1', '10.0.0.2'), '192.0.2.1')
  assert.equal(ipOf('10.0.0.3, 10.0.0.2'), '10.0.0.3')
  assert.equal(ipOf('192.0.2.1:4711'), '192.0.2.1')
  assert.equal(ipOf('[2001:DB8::1]:4711'), '2001:db8::1')
  assert.equal(ipOf('2001:db8::1'), '2001:db8::1')
})

test('what is no address ends the search at the hop that wrote it', () => {
  assert.equal(ipOf('192.0.2.1, unknown'), '10.0.0.1')
  assert.equal(ipOf('192.0.2.1, <script>, 10.0.0.2'), '10.0.0.2')
  assert.equal(ipOf(', '), '10.0.0.1')
})

test('Forwarded counts where there is no X-Forwarded line', () => {
  const value =
    'for=6.6.6.6, for="[2001:db8::7]:80";proto=https;by=10.0.0.2, For=10.0.0.2;Proto=HTTPS'
  assert.deepEqual(forwardedClient(['forwarded', value], PEER, TRUSTED), {
    ip: '2001:db8::7',
    scheme: 'https',
  })
  const both = ['forwarded', 'for=6.6.6.6', 'x-forwarded-for', '192.0.2.1']
  assert.equal(forwardedClient(both, PEER, TRUSTED).ip, '192.0.2.1')
})

test('the scheme is what the nearest proxy says, or that of the connection', () => {
  const schemeOf = (value: string): string =>
    forwardedClient(['x-forwarded-proto', value], PEER, TRUSTED).scheme
  assert.equal(schemeOf('https'), 'https')
  assert.equal(schemeOf('http, HTTPS'), 'https')
  assert.equal(schemeOf('gopher'), 'http')
})

test('an address that a client made up is never believed', () => {
  const made = fc.array(fc.oneof(fc.ipV4(), fc.string(), fc.constant('10.9.9.9')), { maxLength: 5 })
  fc.assert(
    fc.property(made, fc.ipV4(), (invented, client) => {
      fc.pre(!client.startsWith('10.'))
      // Each proxy appends whom it saw: the last two hops are ours.
      const header = [...invented, client, '10.0.0.2'].join(', ')
      assert.equal(ipOf(header), client)
    }),
  )
})

test('whatever the headers hold, the answer is an address', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string()),
      fc.constantFrom('x-forwarded-for', 'forwarded'),
      (lines, name) => {
        const headers = lines.flatMap((line) => [name, line])
        assert.match(forwardedClient(headers, PEER, TRUSTED).ip, /^[0-9a-f:.]+$/)
      },
    ),
  )
})

test('an IPv4 peer of a dual-stack socket is the IPv4 peer', () => {
  assert.equal(peerAddress('::ffff:192.0.2.1'), '192.0.2.1')
  assert.equal(peerAddress('2001:db8::1'), '2001:db8::1')
  assert.equal(peerAddress(undefined), '')
})
