/**
 * Proves how the fields of a stream become the head of a request.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HEADERS_MAX } from '#wire/limits'
import { readHost } from './host.ts'
import { readHttp2Head, type Http2Head } from './http2-head.ts'

const START = [':method', 'GET', ':path', '/a?b=c', ':scheme', 'http', ':authority', 'A.b:80']

function read(...fields: readonly string[]): Http2Head {
  const lastHost = { value: '', read: readHost('') }
  return readHttp2Head({ fields, scheme: 'http', lastHost, end: 'open' })
}

test('pseudo-header fields become a method, a host, a path and a query', () => {
  const head = read(...START, 'x-a', '1', 'x-a', '2')
  assert.deepEqual(
    [head.method, head.host, head.path, head.query, head.refusal],
    ['GET', 'a.b', '/a', 'b=c', null],
  )
  assert.deepEqual(head.headers, ['host', 'A.b:80', 'x-a', '1', 'x-a', '2'])
})

test('a Host that says the same as :authority, or stands alone, is the host', () => {
  assert.equal(read(...START, 'host', 'A.b:80').refusal, null)
  const alone = read(...START.slice(0, 6), 'host', 'c.d')
  assert.equal(alone.host, 'c.d')
  assert.equal(alone.refusal, null)
  assert.deepEqual(alone.headers, ['host', 'c.d'])
})

test('what two hops could read differently is refused', () => {
  const refused: readonly (readonly [string, readonly string[]])[] = [
    ['another Host', [...START, 'host', 'other']],
    ['two Hosts', [...START, 'host', 'A.b:80', 'host', 'A.b:80']],
    ['no host', START.slice(0, 6)],
    ['a host that is none', [...START.slice(0, 6), ':authority', 'a b']],
    ['user info', [...START.slice(0, 6), ':authority', 'u@a.b']],
    ['a scheme', [':method', 'GET', ':path', '/', ':scheme', 'ftp', ':authority', 'a']],
    ['a path', [':method', 'GET', ':path', 'a', ':scheme', 'http', ':authority', 'a']],
    [
      'a URL as path',
      [':method', 'GET', ':path', 'http://a/', ':scheme', 'http', ':authority', 'a'],
    ],
    ['a fragment', [':method', 'GET', ':path', '/?#', ':scheme', 'http', ':authority', 'a']],
    ['an escape', [':method', 'GET', ':path', '/%2f', ':scheme', 'http', ':authority', 'a']],
    ['CONNECT', [':method', 'CONNECT', ':authority', 'a:1']],
    ['lengths', [...START, 'content-length', '1', 'content-length', '1']],
    ['a length', [...START, 'content-length', '+1']],
    ['a coding', [...START, 'transfer-encoding', 'chunked']],
    ['an expectation', [...START, 'expect', 'more']],
  ]
  for (const [what, fields] of refused) {
    const status = read(...fields).refusal?.status
    assert.ok(status === 400 || status === 417, what)
  }
})

test('crumbs are one cookie, in the place of the first', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('cookie', 'x'), fc.stringMatching(/^[a-z]{1,4}$/))),
      (pairs) => {
        const { headers } = read(...START, ...pairs.flat())
        const cookies = pairs.filter(([name]) => name === 'cookie').map(([, value]) => value)
        const first = pairs.findIndex(([name]) => name === 'cookie')
        const plain = pairs.flatMap(([name, value], i) =>
          name === 'x' ? [name, value] : i === first ? ['cookie', cookies.join('; ')] : [],
        )
        assert.deepEqual(headers.slice(2), plain)
      },
    ),
  )
})

test('too many fields and too long ones are refused with 431, also as crumbs', () => {
  const many = Array.from({ length: HEADERS_MAX + 1 }, (_, i) => [`x-${i}`, '1']).flat()
  assert.equal(read(...START, ...many).refusal?.status, 431)
  assert.equal(read(...START, 'x', 'y'.repeat(40_000)).refusal?.status, 431)
  const crumbs = Array.from({ length: 1_000 }, () => ['cookie', 'y'.repeat(40)]).flat()
  assert.equal(read(...START, ...crumbs).refusal?.status, 431)
})

test('an extended CONNECT is the GET of a WebSocket, and nothing else', () => {
  const start = [':method', 'CONNECT', ...START.slice(2)]
  const head = read(...start, ':protocol', 'websocket')
  assert.deepEqual([head.method, head.path, head.query], ['GET', '/a', 'b=c'])
  assert.deepEqual([head.upgrade, head.refusal], ['websocket', null])
  assert.equal(read(...START).upgrade, null)
  assert.equal(read(...start, ':protocol', 'connect-udp').refusal?.cause, 'not-implemented')
  assert.equal(read(...start).refusal?.cause, 'bad-request')
  assert.equal(read(...START, ':protocol', 'websocket').refusal?.cause, 'bad-request')
  const sized = read(...start, ':protocol', 'websocket', 'content-length', '3')
  assert.equal(sized.refusal?.cause, 'bad-request')
  const lastHost = { value: '', read: readHost('') }
  const fields = [...start, ':protocol', 'websocket']
  const over = readHttp2Head({ fields, scheme: 'http', lastHost, end: 'here' })
  assert.equal(over.refusal?.cause, 'bad-request')
})
