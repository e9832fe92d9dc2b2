/**
 * Proves the parser by example, and against its plain twin.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { HEADER_BYTES_MAX, HEADERS_MAX, TARGET_BYTES_MAX } from '#wire/limits'
import { Collected, parseRequests, type Parsed } from './fake/collect.ts'
import { mutated, mutation, request } from './fake/messages.ts'
import { type Plain, plainRequest } from './fake/plain.ts'
import { PARSE_FAILURES, type ParseFailure } from './failure.ts'
import { CHUNK_LINE_BYTES_MAX, INTERIM_MAX } from './limits.ts'
import { Parser } from './parse.ts'

function plainly(text: string): Parsed {
  const messages = []
  let used = 0
  for (;;) {
    const plain: Plain = plainRequest(text.slice(used))
    if (plain.kind === 'partial') return { messages, failure: null, used }
    if (plain.kind === 'failed') return { messages, failure: plain.failure, used }
    messages.push(plain.message)
    used += plain.bytes
  }
}

const cuts = (length: number): fc.Arbitrary<number[]> =>
  fc.array(fc.nat(length), { maxLength: 6 }).map((list) => list.toSorted((a, b) => a - b))

test('agrees with its plain twin on any bytes in any pieces', () => {
  const requests = fc.array(request, { minLength: 1, maxLength: 3 }).map((list) => list.join(''))
  const texts = fc.tuple(requests, fc.array(mutation, { maxLength: 3 }))
  const cut = texts.chain(([text, mutations]) => {
    const all = mutated(text, mutations)
    return fc.tuple(fc.constant(all), cuts(all.length))
  })
  fc.assert(
    fc.property(cut, ([text, where]) => {
      assert.deepEqual(parseRequests(text, where), plainly(text))
    }),
    { numRuns: 3_000 },
  )
})

test('every piece of a short request is found wherever it is cut', () => {
  const text =
    '\r\nPOST /a?b HTTP/1.1\r\nHost: a\r\nX-A:\t b c \t\r\nTransfer-Encoding: chunked\r\n\r\n' +
    '5\r\nhello\r\n3;a=b;c="x\\"y"\r\nabc\r\n0\r\nT: 1\r\n\r\nGET /2 HTTP/1.0\r\nHost: a\r\n\r\n'
  const expected = plainly(text)
  assert.equal(expected.messages.length, 2)
  assert.equal(expected.messages[0]?.body, 'helloabc')
  for (let first = 0; first <= text.length; first++) {
    for (let second = first; second <= text.length; second++) {
      assert.deepEqual(parseRequests(text, [first, second]), expected, `${first}, ${second}`)
    }
  }
  const everywhere = Array.from({ length: text.length }, (_, i) => i)
  assert.deepEqual(parseRequests(text, everywhere), expected)
})

const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\n'
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`
const REFUSED: Readonly<Partial<Record<ParseFailure, readonly string[]>>> = {
  'bad-line': [
    'GET /\r\n\r\n',
    'GET / HTTP/1.1 \r\n',
    'GET / http/1.1\r\n',
    'GET / HTTP/1.10\r\n',
    'G@T / HTTP/1.1\r\n',
    ' GET / HTTP/1.1\r\n',
    '\r\n\r\n\r\nGET / HTTP/1.1\r\n',
    '\x16\x03\x01\x02\r\n',
  ],
  'bad-target': [
    'GET /a b HTTP/1.1\r\n',
    'GET  / HTTP/1.1\r\n',
    'GET /\xe9 HTTP/1.1\r\n',
    'GET /\0 HTTP/1.1\r\n',
  ],
  'unknown-method': [
    'get / HTTP/1.1\r\n',
    'GET1 / HTTP/1.1\r\n',
    `${'A'.repeat(33)} / HTTP/1.1\r\n`,
  ],
  'unknown-version': [
    'GET / HTTP/2.0\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n',
    'GET / HTTP/0.9\r\n',
    'GET / HTTP/1.2\r\n',
  ],
  'target-too-long': [`GET /${'a'.repeat(TARGET_BYTES_MAX)} HTTP/1.1\r\n`],
  'bad-line-end': ['GET / HTTP/1.1\n', `${HEAD}X: 1\n`, `${HEAD}\n`],
  'bad-name': [
    `${HEAD}: 1\r\n`,
    `${HEAD}X : 1\r\n`,
    `${HEAD}X\r\n`,
    `${HEAD}X\0: 1\r\n`,
    `${HEAD}(X): 1\r\n`,
  ],
  'bad-value': [
    `${HEAD}X: 1\r2\r\n`,
    `${HEAD}X: 1\0\r\n`,
    `${HEAD}X: \x0b1\r\n`,
    `${HEAD}X: \x7f\r\n`,
  ],
  folded: [`${HEAD}X: 1\r\n 2\r\n`, `GET / HTTP/1.1\r\n X: 1\r\n`, `${HEAD}X: 1\r\n\t\r\n`],
  'bad-length': ['+1', '-1', '0x1', '1 1', '', '1, 1', '1e1', '\xb2', '9'.repeat(16)].map(
    (length) => `${HEAD}Content-Length: ${length}\r\n\r\n`,
  ),
  'framed-twice': [
    `${HEAD}Content-Length: 1\r\nContent-Length: 1\r\n\r\n`,
    `${HEAD}Content-Length: 1\r\ncontent-length: 2\r\n\r\n`,
    `${HEAD}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
    `${HEAD}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
    `${HEAD}Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n`,
  ],
  'coding-in-1.0': ['GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n'],
  'unknown-coding': [
    'gzip',
    'gzip, chunked',
    'chunked, chunked',
    'identity',
    'xchunked',
    '',
    '"chunked"',
  ].map((coding) => `${HEAD}Transfer-Encoding: ${coding}\r\n\r\n`),
  'bad-chunk': [
    'x\r\n',
    '\r\n',
    '5 \r\n',
    ' 5\r\n',
    '5;\r\n',
    '5;a=\r\n',
    '5;a="\r\n',
    '5;a\n',
    '5\n',
    '-5\r\n',
    '0x5\r\n',
    '12345678901234\r\n',
    '1\r\nab\r\n',
    '1\r\na\n',
    '1\r\na\rb',
    '5;a\rb\r\n',
    '5;a\0\r\n',
  ].map((line) => `${CHUNKED}${line}`),
  'chunk-line-too-long': [`${CHUNKED}1;${'a'.repeat(CHUNK_LINE_BYTES_MAX)}`],
}

test('every failure has bytes that cause it', () => {
  const seen = new Set<string>()
  for (const [failure, texts] of Object.entries(REFUSED)) {
    for (const text of texts) {
      const parsed = parseRequests(text, [])
      assert.equal(parsed.failure, failure, JSON.stringify(text))
      assert.deepEqual(parsed.messages, [])
      assert.deepEqual(plainly(text), parsed, JSON.stringify(text))
      seen.add(failure)
    }
  }
  for (const [failure, text] of LIMITS) seen.add(failure ?? text)
  for (const [failure] of ANSWERS) if (failure !== null) seen.add(failure)
  for (const failure of Object.keys(PARSE_FAILURES)) assert.ok(seen.has(failure), failure)
})

const line = (bytes: number): string => `X: ${'a'.repeat(bytes - 'X: \r\n'.length)}\r\n`
const LIMITS: readonly (readonly [ParseFailure | null, string])[] = [
  [null, `GET /${'a'.repeat(TARGET_BYTES_MAX - 1)} HTTP/1.1\r\n\r\n`],
  ['target-too-long', `GET /${'a'.repeat(TARGET_BYTES_MAX)} HTTP/1.1\r\n\r\n`],
  ['target-too-long', `GET /${'a'.repeat(2 * TARGET_BYTES_MAX)}`],
  [null, `GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(HEADERS_MAX)}\r\n`],
  ['too-many-fields', `GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(HEADERS_MAX + 1)}\r\n`],
  [null, `GET / HTTP/1.1\r\n${line(HEADER_BYTES_MAX - 2)}\r\n`],
  ['fields-too-large', `GET / HTTP/1.1\r\n${line(HEADER_BYTES_MAX - 1)}\r\n`],
  ['fields-too-large', `GET / HTTP/1.1\r\nX: ${'a'.repeat(HEADER_BYTES_MAX)}`],
  ['fields-too-large', `GET / HTTP/1.1\r\nX: \0${'a'.repeat(HEADER_BYTES_MAX)}\r\n`],
  [null, `${CHUNKED}0;${'a'.repeat(CHUNK_LINE_BYTES_MAX - 4)}\r\n\r\n`],
  ['chunk-line-too-long', `${CHUNKED}0;${'a'.repeat(CHUNK_LINE_BYTES_MAX - 3)}\r\n\r\n`],
  ['too-many-fields', `${CHUNKED}0\r\n${'a: b\r\n'.repeat(HEADERS_MAX + 1)}\r\n`],
  ['fields-too-large', `${CHUNKED}0\r\n${line(HEADER_BYTES_MAX - 1)}\r\n`],
]

test('every limit is exact', () => {
  for (const [failure, text] of LIMITS) {
    const what = JSON.stringify(text.slice(0, 80))
    const everywhere = Array.from({ length: text.length }, (_, i) => i)
    for (const where of [[], [text.length >> 1], everywhere]) {
      const parsed = parseRequests(text, where)
      assert.equal(parsed.failure, failure, what)
      assert.equal(parsed.messages.length, failure === null ? 1 : 0, what)
    }
    assert.deepEqual(plainly(text), parseRequests(text, []))
  }
})

/** What is found in an answer to a GET, or to the method given; and what the end makes of it. */
const ANSWERS: readonly (readonly [ParseFailure | null, string, string?, string?])[] = [
  [null, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi', 'hi complete'],
  [null, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh', 'truncated'],
  [null, 'HTTP/1.1 200\r\n\r\nall of it', 'all of it complete'],
  [null, 'HTTP/1.0 200 \r\n\r\n', ' complete'],
  [null, 'HTTP/1.1 204 No\r\n\r\n', ' complete'],
  [null, 'HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n', ' complete'],
  [null, 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', ' complete', 'HEAD'],
  [
    null,
    'HTTP/1.1 103 Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    ' complete',
  ],
  [null, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n', 'a complete'],
  [null, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n', 'truncated'],
  [null, 'HTTP/1.1 2', 'truncated'],
  [null, '', 'idle'],
  ['unexpected-switch', 'HTTP/1.1 101 Switching\r\nUpgrade: a\r\n\r\n'],
  ['too-many-interim', 'HTTP/1.1 103 Hints\r\n\r\n'.repeat(INTERIM_MAX + 1)],
  ['bad-status', 'HTTP/1.1 099 No\r\n\r\n'],
  ['bad-status', 'HTTP/1.1 600 No\r\n\r\n'],
  ['unknown-version', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['bad-line', 'ICY 200 OK\r\n\r\n'],
  ['bad-line', '\r\nHTTP/1.1 200 OK\r\n\r\n'],
  ['bad-line', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['bad-line', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['bad-line', 'HTTP/1.1 200 \0\r\n\r\n'],
  ['bad-line', `HTTP/1.1 200 ${'a'.repeat(9_000)}\r\n\r\n`],
  ['bad-line-end', 'HTTP/1.1 200 OK\n\n'],
  ['framed-twice', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['framed-twice', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n'],
  ['coding-in-1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['unknown-coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
  ['bad-length', 'HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n'],
]

function parseAnswer(
  text: string,
  method: string,
  pieceBytes: number,
): readonly [Parser, Collected] {
  const collected = new Collected()
  const parser = new Parser('response', collected)
  const bytes = Buffer.from(text, 'latin1')
  assert.equal(parser.read(bytes, 0), 0, 'nothing was asked')
  parser.nextAnswer(method, 'none')
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    parser.read(bytes.subarray(at, at + pieceBytes), 0)
  }
  return [parser, collected]
}

test('answers are read as strictly, and never complete where they are not', () => {
  for (const [failure, text, found, method = 'GET'] of ANSWERS) {
    for (const pieceBytes of [1, 3, 100_000]) {
      const [parser, collected] = parseAnswer(text, method, pieceBytes)
      assert.equal(parser.failure, failure, JSON.stringify(text))
      if (found === undefined) continue
      const closed = parser.close()
      const body = collected.bodies[0]
      assert.equal(body === undefined ? closed : `${body} ${closed}`, found, JSON.stringify(text))
    }
  }
})

test('a switch of protocols is read where it was offered, and nothing after it', () => {
  const collected = new Collected()
  const parser = new Parser('response', collected)
  parser.nextAnswer('GET', 'offered')
  const head = Buffer.from(
    'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  )
  assert.equal(parser.read(Buffer.concat([head, Buffer.from('\x81\x00')]), 0), head.length)
  assert.equal(parser.state, 'ended')
  assert.equal(collected.heads[0]?.status, 101)
  assert.equal(collected.heads[0]?.upgrade, 'offered')
})

test('what a head says of its connection', () => {
  const cases: readonly (readonly [string, string, 'keep' | 'close', 'none' | 'offered'])[] = [
    ['1.1', '', 'keep', 'none'],
    ['1.0', '', 'close', 'none'],
    ['1.0', 'Connection: Keep-Alive\r\n', 'keep', 'none'],
    ['1.1', 'Connection: close\r\n', 'close', 'none'],
    ['1.1', 'Connection: x\r\nConnection: y , CLOSE\r\n', 'close', 'none'],
    ['1.0', 'Connection: keep-alive, close\r\n', 'close', 'none'],
    ['1.1', 'Connection: keep-alive, Upgrade\r\n', 'keep', 'offered'],
  ]
  for (const [version, fields, persistence, upgrade] of cases) {
    const collected = new Collected()
    new Parser('request', collected).read(Buffer.from(`GET / HTTP/${version}\r\n${fields}\r\n`), 0)
    assert.equal(collected.heads[0]?.persistence, persistence, fields)
    assert.equal(collected.heads[0]?.upgrade, upgrade, fields)
  }
})

test('a reader that pauses or stops is obeyed at once', () => {
  const pieces: string[] = []
  const parser = new Parser('request', {
    head: () => undefined,
    interim: () => undefined,
    data(piece) {
      pieces.push(piece.toString())
      if (piece.toString() === 'c') parser.stop()
      return 'pause'
    },
    end: () => undefined,
  })
  const bytes = Buffer.from(`${CHUNKED}1\r\na\r\n1\r\nb\r\n1\r\nc\r\n1\r\nd\r\n0\r\n\r\n`)
  const first = parser.read(bytes, 0)
  assert.deepEqual(pieces, ['a'])
  const second = parser.read(bytes, first)
  assert.deepEqual(pieces, ['a', 'b'])
  const third = parser.read(bytes, second)
  assert.equal(parser.state, 'stopped')
  assert.equal(parser.read(bytes, third), third)
  assert.deepEqual(pieces, ['a', 'b', 'c'])
})
