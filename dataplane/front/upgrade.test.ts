/**
 * Proves how an offer to switch protocols is read.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readOffer } from './upgrade.ts'

function offered(value: string): string {
  const offer = readOffer(value)
  return offer.kind === 'offer' ? offer.protocols : offer.kind
}

test('an offer goes on as it came, without what only a connection of ours could speak', () => {
  for (const [value, protocols] of [
    ['websocket', 'websocket'],
    ['WebSocket', 'WebSocket'],
    [' a/1 ,, b', 'a/1, b'],
    ['h2c', 'none'],
    ['h2c, websocket', 'websocket'],
    ['TLS/1.3, HTTP/2.0, h2, H3', 'none'],
    ['', 'none'],
    ['web socket', 'malformed'],
    ['a/b/c', 'malformed'],
    ['a/', 'malformed'],
    ['"a"', 'malformed'],
    [Array.from({ length: 9 }, (_, i) => `p${i}`).join(), 'malformed'],
  ] as const) {
    assert.equal(offered(value), protocols, value)
  }
})

test('no spelling of HTTP or TLS is ever offered to a backend', () => {
  const piece = fc.constantFrom('h2c', 'H2C', 'HTTP/2', 'tls/1.3', ',', ' ', '\t', 'x', '/', ';')
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const offer = readOffer(pieces.join(''))
      if (offer.kind !== 'offer') return
      for (const protocol of offer.protocols.split(',')) {
        assert.doesNotMatch(protocol.trim(), /^(?:h2c|h2|http|tls)(?:$|\/)/i)
        assert.match(protocol, /^ ?[a-z0-9]+(?:\/[a-z0-9.]+)?$/i)
      }
    }),
    { numRuns: 2_000 },
  )
})
