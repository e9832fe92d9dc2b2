/**
 * Proves how the head of a request is read, byte by byte where it matters.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { valuesOf } from '../upstream/fake/recorder.ts'
import { readHost } from './host.ts'
import { type RawHead, readRequestHead, type RequestHead } from './request-head.ts'

const REST = {
  scheme: 'http',
  lastHost: { value: '', read: readHost('') },
  upgrade: 'none',
} as const

function read(target: string, headers: readonly string[] = [], method = 'POST'): RequestHead {
  const all = ['Host', 'shop', ...headers]
  return readRequestHead({ method, target, protocol: '1.1', headers: all, ...REST })
}

test('the target is split into canonical path and raw query', () => {
  for (const [target, path, query] of [
    ['/', '/', null],
    ['/a?', '/a', ''],
    ['/a?b?c', '/a', 'b?c'],
    ['/a/../b?x=%2f', '/b', 'x=%2f'],
    ['http://shop/a', '/a', null],
    ['http://SHOP:80?q', '/', 'q'],
  ] as const) {
    const head = read(target)
    assert.deepEqual([head.path, head.query, head.refusal], [path, query, null], target)
  }
})

type Framing = RequestHead['bodyKind'] | 'refused'

/** What the framing headers say, in the words of RFC 9112 section 6.3. */
function plainFraming(headers: readonly string[]): Framing {
  const lengths = valuesOf(headers, 'content-length')
  const codings = valuesOf(headers, 'transfer-encoding')
  if (lengths.length + codings.length > 1) return 'refused'
  const [length] = lengths
  const [coding] = codings
  if (coding !== undefined) return coding.toLowerCase() === 'chunked' ? 'chunked' : 'refused'
  if (length === undefined) return 'none'
  if (length === '' || length.length > 15 || /[^0-9]/.test(length)) return 'refused'
  return length === '0' ? 'none' : 'length'
}

test('every ambiguous head is refused', () => {
  const name = fc.constantFrom('Content-Length', 'content-length', 'Transfer-Encoding', 'X-Length')
  const value = fc.constantFrom(
    '0',
    '1',
    '00',
    '5',
    '+5',
    '5, 5',
    '',
    'chunked',
    'CHUNKED',
    'gzip',
    'chunked, chunked',
    '9'.repeat(16),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 3 }), (pairs) => {
      const headers = pairs.flat()
      const head = read('/', headers)
      const expected = plainFraming(headers)
      assert.equal(head.refusal === null, expected !== 'refused', JSON.stringify(headers))
      if (expected === 'refused') return
      if (headers.some((text) => text === '00')) return
      assert.equal(head.bodyKind, expected, JSON.stringify(headers))
    }),
    { numRuns: 2_000 },
  )
})

test('whatever comes, the answer is a head, and one without refusal is safe to forward', () => {
  const header = fc.constantFrom('host', 'Host', 'expect', 'upgrade', 'content-length', 'x')
  fc.assert(
    fc.property(
      fc.string(),
      fc.array(fc.tuple(header, fc.string())),
      fc.constantFrom('1.0', '1.1'),
      (target, pairs, protocol) => {
        const headers = pairs.flat()
        const head = readRequestHead({ method: 'GET', target, protocol, headers, ...REST })
        assert.ok(head.path.length <= 1024 || head.refusal === null)
        if (head.refusal !== null) return
        assert.match(head.path, /^\/[\x21-\x7e]*$/)
        assert.match(head.host, /^[a-z0-9._-]+$|^\[[0-9a-f:.]+\]$/)
        assert.ok(!head.query?.includes('#'))
      },
    ),
    { numRuns: 2_000 },
  )
})

test('a refusal for its framing comes before one for its path', () => {
  assert.equal(read('/a%2Fb', ['content-length', 'x']).refusal?.cause, 'bad-request')
  assert.equal(read('/a%2Fb').refusal?.cause, 'bad-path')
})

test('an offer counts where RFC 9110 lets it, and never names HTTP', () => {
  const offers = (headers: readonly string[], some: Partial<RawHead> = {}): string | null => {
    const all = ['Host', 'shop', ...headers]
    const raw = { method: 'GET', target: '/', protocol: '1.1', headers: all, ...REST } as const
    const { upgrade, refusal } = readRequestHead({ ...raw, upgrade: 'offered', ...some })
    return refusal?.cause ?? upgrade
  }
  assert.equal(offers(['upgrade', 'h2c']), null)
  assert.equal(offers(['upgrade', 'TLS/1.2, h2c']), null)
  assert.equal(offers(['upgrade', 'h2c', 'Upgrade', 'websocket']), 'websocket')
  assert.equal(offers(['upgrade', 'web socket']), 'upgrade-refused')
  assert.equal(offers(['upgrade', 'websocket'], { upgrade: 'none' }), null)
  assert.equal(offers(['upgrade', 'websocket'], { protocol: '1.0' }), null)
  assert.equal(offers(['upgrade', 'websocket', 'content-length', '1']), null)
  assert.equal(offers(['upgrade', 'websocket', 'content-length', '0']), 'websocket')
})
