/**
 * Proves what is let through of an upstream's head.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readHead, readTrailers } from './response-head.ts'

const HOP = ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'te']

type Plain = { readonly headers: string[]; readonly length: string | null } | 'invalid'

/** The same in four passes. */
function plain(raw: readonly string[]): Plain {
  const pairs: [string, string][] = []
  for (let i = 0; i < raw.length; i += 2) pairs.push([raw[i] ?? '', raw[i + 1] ?? ''])
  const named = (name: string): string[] =>
    pairs.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
  const lengths = named('content-length')
  if (lengths.length > 1 || lengths.some((length) => !/^[0-9]{1,15}$/.test(length)))
    return 'invalid'
  const codings = named('transfer-encoding')
  if (codings.length > 1 || codings.some((coding) => coding.toLowerCase() !== 'chunked'))
    return 'invalid'
  const listed = named('connection')
    .flatMap((value) => value.split(','))
    .map((token) => token.trim().toLowerCase())
  const dropped = new Set([
    ...HOP,
    'x-fairlead-cause',
    'content-length',
    ...listed.filter((token) => token !== 'close'),
  ])
  const headers = pairs.filter(([key]) => !dropped.has(key.toLowerCase())).flat()
  return { headers, length: lengths[0] ?? null }
}

const NAMES = [
  'Connection',
  'connection',
  'Keep-Alive',
  'TE',
  'Content-Length',
  'content-length',
  'X-Hop',
  'x-hop',
  'Set-Cookie',
  'Upgrade',
  'Transfer-Encoding',
  'X-Fairlead-Cause',
  'Date',
]
const VALUES = [
  'chunked',
  'Chunked',
  'gzip, chunked',
  'x-hop',
  'close',
  'Close, X-Hop',
  'keep-alive',
  'content-length',
  '5',
  '05',
  '5, 5',
  '-1',
  '',
  'a=b',
  'date,,x-hop ',
  '9'.repeat(16),
]

test('agrees with its plain twin on any list', () => {
  const pair = fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...VALUES))
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 8 }), (pairs) => {
      const raw = pairs.flat()
      const head = readHead('GET', 200, raw)
      const expected = plain(raw)
      if (expected === 'invalid') return assert.equal(head.kind, 'invalid')
      assert.ok(head.kind === 'head')
      const { headers, length } = expected
      assert.deepEqual(
        head.headers,
        length === null ? headers : [...headers, 'content-length', length],
      )
      assert.equal(head.bytesDeclared, length === null ? null : Number(length))
    }),
    { numRuns: 3_000 },
  )
})

test('an answer in a coding that nobody would undo is refused', () => {
  for (const coding of ['gzip, chunked', 'chunked, gzip', 'gzip', 'xchunked', 'identity', ''])
    assert.equal(readHead('GET', 200, ['Transfer-Encoding', coding]).kind, 'invalid', coding)
  assert.equal(readHead('GET', 200, ['transfer-encoding', 'CHUNKED']).kind, 'head')
})

test('a backend cannot say that the gateway has refused a request', () => {
  const head = readHead('GET', 403, ['X-Fairlead-Cause', 'forbidden', 'x-other', 'y'])
  assert.deepEqual(head, { kind: 'head', headers: ['x-other', 'y'], bytesDeclared: null })
})

test('only final statuses pass', () => {
  for (const status of [-1, 0, 99, 199, 600, 999])
    assert.equal(readHead('GET', status, []).kind, 'invalid')
  for (const status of [200, 404, 599]) assert.equal(readHead('GET', status, []).kind, 'head')
})

test('an answer without content declares none, whatever its head says', () => {
  const of = (method: string, status: number): unknown =>
    readHead(method, status, ['content-length', '7'])
  assert.deepEqual(of('GET', 204), { kind: 'head', headers: [], bytesDeclared: null })
  assert.deepEqual(of('GET', 205), {
    kind: 'head',
    headers: ['content-length', '0'],
    bytesDeclared: 0,
  })
  assert.deepEqual(of('GET', 304), {
    kind: 'head',
    headers: ['content-length', '7'],
    bytesDeclared: 0,
  })
  assert.deepEqual(of('HEAD', 200), {
    kind: 'head',
    headers: ['content-length', '7'],
    bytesDeclared: 0,
  })
})

test('a trailer never says what had to be known before', () => {
  const raw = [
    'Grpc-Status',
    '0',
    'Content-Length',
    '3',
    'SET-COOKIE',
    'a=b',
    'Host',
    'x',
    'Transfer-Encoding',
    'x',
  ]
  assert.deepEqual(readTrailers(raw), ['Grpc-Status', '0'])
  assert.equal(readTrailers(['authorization', 'x']), null)
})
