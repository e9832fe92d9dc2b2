/**
 * The known ways to make two servers see two different requests, from RFC 9110 and 9112 and from
 * public advisories: alone, between two ordinary requests, and cut in many places. What must hold
 * for each stands in invariants.ts.
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Gateway, plainly } from './gateway.ts'
import { holdsFor } from './invariants.ts'

const POST = 'POST /a HTTP/1.1\r\nHost: a\r\n'
const NEXT = 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n'
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`

const CLASSES: Readonly<Record<string, readonly string[]>> = {
  'length beside a transfer coding (RFC 9112 section 6.3)': [
    `${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
    `${POST}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${POST}Content-Length: 5\r\nTransfer-Encoding: identity\r\n\r\nhello`,
    'POST /a HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  'lengths that two servers could read differently (RFC 9112 section 6.3)': [
    `${POST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`,
    `${POST}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`,
    ...['5, 5', '+5', '-5', '0x5', '5 5', '5;', '', '05a', '9'.repeat(30)].map(
      (length) => `${POST}Content-Length: ${length}\r\n\r\nhello`,
    ),
    `${POST}Content-Length : 5\r\n\r\nhello`,
    `${POST}\tContent-Length: 5\r\n\r\nhello`,
  ],
  'transfer codings other than chunked alone (RFC 9112 section 6.1)': [
    ...[
      'gzip',
      'chunked, gzip',
      'gzip, chunked',
      'chunked, chunked',
      'xchunked',
      'chunked;q=1',
      '\x0bchunked',
      '',
    ].map((coding) => `${POST}Transfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n`),
    `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`,
    `${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
    `${POST}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n`,
    'POST /a HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  'chunks (RFC 9112 section 7.1)': [
    ...[
      '5 ',
      ' 5',
      '+5',
      '0x5',
      '5;',
      '5;a=',
      '5;a="',
      '5;a\rb',
      '5;a\nb',
      '10000000000000005',
      'g',
      '',
    ].map((size) => `${CHUNKED}${size}\r\nhello\r\n0\r\n\r\n`),
    `${CHUNKED}5\nhello\n0\n\n`,
    `${CHUNKED}5\rhello\r0\r\r`,
    `${CHUNKED}5\r\nhelloX\r\n0\r\n\r\n`,
    `${CHUNKED}5\r\nhello\n0\r\n\r\n`,
    `${CHUNKED}2\r\nhello\r\n0\r\n\r\n`,
    `${CHUNKED}5;a\n\r\nhello\r\n0\r\n\r\n`,
  ],
  'trailers (RFC 9112 section 7.1.2)': [
    `${CHUNKED}0\r\nX : 1\r\n\r\n`,
    `${CHUNKED}0\r\nX: 1\n\n`,
    `${CHUNKED}0\r\n X: 1\r\n\r\n`,
    `${CHUNKED}0\r\nX: 1\0\r\n\r\n`,
    `${CHUNKED}0\r\n${'X: 1\r\n'.repeat(101)}\r\n`,
  ],
  'lines and bytes of the head (RFC 9112 sections 2.2, 5.1, 5.2; RFC 9110 section 5.5)': [
    'POST /a HTTP/1.1\nHost: a\n\n',
    `${POST}X: 1\n\r\n`,
    `${POST}X: 1\r2\r\n\r\n`,
    `${POST}X: 1\0\r\n\r\n`,
    `${POST}X: 1\r\n folded\r\n\r\n`,
    `${POST}X : 1\r\n\r\n`,
    `${POST}: 1\r\n\r\n`,
    `${POST}X\r\n\r\n`,
    `${POST}X\xa0: 1\r\n\r\n`,
    `${POST}(X): 1\r\n\r\n`,
    `POST /a HTTP/1.1\r\n X: 1\r\nHost: a\r\n\r\n`,
  ],
  'first lines (RFC 9112 section 3)': [
    'GET /a\r\n\r\n',
    'GET /a HTTP/0.9\r\nHost: a\r\n\r\n',
    'GET /a HTTP/1.1 \r\nHost: a\r\n\r\n',
    'GET  /a HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET\t/a HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /a\0 HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /a HTTP/1.2\r\nHost: a\r\n\r\n',
    'GET /a HTTP/11\r\nHost: a\r\n\r\n',
    'GET /a http/1.1\r\nHost: a\r\n\r\n',
    'get /a HTTP/1.1\r\nHost: a\r\n\r\n',
    '\r\n\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n',
    ' GET /a HTTP/1.1\r\nHost: a\r\n\r\n',
  ],
}

async function started(t: TestContext): Promise<Gateway> {
  const gateway = new Gateway()
  await gateway.start()
  t.after(() => gateway.stop())
  return gateway
}

for (const [title, texts] of Object.entries(CLASSES)) {
  test(`refused, and nothing after it is served: ${title}`, async (t) => {
    const gateway = await started(t)
    for (const text of texts) {
      assert.equal(plainly(text + NEXT).ends, 'refused', JSON.stringify(text))
      const cuts = Array.from({ length: 3 }, (_, i) => Math.floor((text.length * (i + 1)) / 4))
      for (const where of [[], cuts]) {
        await holdsFor(gateway, text + NEXT, where)
        const between = await holdsFor(gateway, NEXT + text + NEXT, where)
        assert.equal(between.statuses[0], 200, JSON.stringify(text))
      }
    }
  })
}

/** Complete and well framed; but which host or path they mean, two servers could disagree on. */
const MEANINGS: readonly string[] = [
  'GET /a HTTP/1.1\r\n\r\n',
  'GET /a HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n',
  'GET /a HTTP/1.1\r\nHost: a, b\r\n\r\n',
  'GET /a HTTP/1.1\r\nHost: a/b\r\n\r\n',
  'GET http://b/a HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET a HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /a%2Fb HTTP/1.1\r\nHost: a\r\n\r\n',
  'CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n',
  'GET /a HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n',
]

test('what can mean two things is refused, and nothing after it is served', async (t) => {
  const gateway = await started(t)
  for (const text of MEANINGS) {
    const before = gateway.backend.requests.length
    const { statuses } = await holdsFor(gateway, text + NEXT, [])
    assert.equal(statuses.length, 1, JSON.stringify(text))
    assert.ok((statuses[0] ?? 0) >= 400)
    // One more: of another connection, which asks whether all is well.
    assert.equal(gateway.backend.requests.length, before + 1)
  }
})

const OFFER = 'GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
/** What follows an offer may be meant for another protocol: no request, whatever it looks like. */
const OFFERS: readonly string[] = [
  `${OFFER}\r\n`,
  `${OFFER}Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n`,
  OFFER.replace('websocket', 'h2c, websocket') + '\r\n',
  OFFER.replace('websocket', 'WebSocket') + '\r\n',
  OFFER.replace('Upgrade\r\n', 'close, Upgrade\r\n') + '\r\n',
  OFFER.replace('websocket', 'foo/2') + '\r\n',
]

test('nothing after an offer that the backend did not take is served', async (t) => {
  const gateway = await started(t)
  for (const text of OFFERS) {
    const before = gateway.backend.requests.length
    for (const cuts of [[], [text.length], [text.length - 1], [10, 30, text.length + 5]]) {
      const { statuses, bodies } = await holdsFor(gateway, text + NEXT, cuts)
      assert.deepEqual([statuses, bodies], [[200], ['GET /a 0']], JSON.stringify(text))
    }
    const between = await holdsFor(gateway, NEXT + text + NEXT, [])
    assert.deepEqual(between.statuses, [200, 200], JSON.stringify(text))
    const seen = gateway.backend.requests.slice(before).map(({ fields }) => fields.join('\n'))
    assert.ok(
      seen.every((fields) => !/h2c|http2-settings/i.test(fields)),
      seen.join('\n\n'),
    )
  }
})

const VOID: readonly string[] = [
  // RFC 9110 section 7.8: not over 1.0, not without Connection, and not of HTTP itself.
  'GET /a HTTP/1.0\r\nHost: a\r\nConnection: Upgrade, keep-alive\r\nUpgrade: websocket\r\n\r\n',
  'GET /a HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n',
  OFFER.replace('websocket', 'h2c') + 'HTTP2-Settings: AAMAAABk\r\n\r\n',
  OFFER.replace('websocket', 'H2C, HTTP/2.0,TLS/1.3') + '\r\n',
  `${OFFER.replace('GET', 'POST')}Content-Length: 0\r\n\r\n`.replace('websocket', 'h2c'),
]

test('an offer that means nothing is passed over, and not passed on', async (t) => {
  const gateway = await started(t)
  for (const text of VOID) {
    const before = gateway.backend.requests.length
    const { statuses } = await holdsFor(gateway, text + NEXT, [])
    assert.deepEqual(statuses, [200, 200], JSON.stringify(text))
    const seen = gateway.backend.requests.slice(before).map(({ fields }) => fields.join('\n'))
    assert.ok(
      seen.every((fields) => !/upgrade|h2c|http2-settings/i.test(fields)),
      seen.join('\n\n'),
    )
  }
})

test('an offer before a body is passed over, and its body is one', async (t) => {
  const gateway = await started(t)
  const text = `${OFFER.replace('GET', 'POST')}Content-Length: 3\r\n\r\nabc`
  const { statuses, bodies } = await holdsFor(gateway, text + NEXT, [])
  assert.deepEqual(
    [statuses, bodies],
    [
      [200, 200],
      ['POST /a 3', 'GET /next 0'],
    ],
  )
})

test('a whole request is the same wherever it is cut', async (t) => {
  const gateway = await started(t)
  const text = `POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n${NEXT}`
  for (let at = 1; at < text.length; at++) {
    const { statuses, bodies } = await holdsFor(gateway, text, [at])
    assert.deepEqual(statuses, [200, 200], String(at))
    assert.deepEqual(bodies, ['POST /a 3', 'GET /next 0'], String(at))
  }
})
