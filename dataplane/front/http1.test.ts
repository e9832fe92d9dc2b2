/**
 * Proves the front with raw bytes on real connections.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { monotonicMs } from '../clock.ts'
import { get, raw, type Raw } from '../fake/plane.ts'
import { until } from '../upstream/fake/recorder.ts'
import { echo, HOST, ok, startFront, statusOf } from './fake/front.ts'

function causeOf({ text }: Raw): string | null {
  return /x-fairlead-cause: (\S+)/i.exec(text)?.[1] ?? null
}

test('a request becomes an exchange as it was received', async (t) => {
  const { port, exchanges } = await startFront(t, () => ok('fine'))
  const client = raw(
    t,
    port,
    `GET /a%2db/./c?x=1&x=%20 HTTP/1.1\r\nHOST: Shop.Example.com.:8080\r\nX-A: 1\r\nx-a: 2\r\n\r\n`,
  )
  await until('it is answered', () => client.text.endsWith('fine'))
  const [exchange] = exchanges
  assert.equal(exchange?.host, 'shop.example.com')
  assert.equal(exchange?.path, '/a-b/c')
  assert.equal(exchange?.query, 'x=1&x=%20')
  assert.deepEqual(exchange?.headers.slice(2), ['X-A', '1', 'x-a', '2'])
  assert.equal(exchange?.ip, '127.0.0.1')
  assert.equal(exchange?.protocol, '1.1')
  assert.equal(exchange?.body.empty, true)
})

const LONG = 'a'.repeat(9_000)
/** What is refused: name, bytes, status, cause; and that nothing after it is served. */
const REFUSED: readonly (readonly [string, string, string, string])[] = [
  ['no host', 'GET / HTTP/1.1\r\n\r\n', '400', 'bad-request'],
  ['no host, 1.0', 'GET / HTTP/1.0\r\n\r\n', '400', 'bad-request'],
  ['version 2.0', `GET / HTTP/2.0\r\n${HOST}\r\n`, '505', 'version-not-supported'],
  ['version 0.9', `GET / HTTP/0.9\r\n${HOST}\r\n`, '505', 'version-not-supported'],
  ['two hosts', `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`, '400', 'bad-request'],
  ['empty host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', '400', 'bad-request'],
  ['host with a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', '400', 'bad-request'],
  ['host with a user', 'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n', '400', 'bad-request'],
  ['two hosts in one', 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n', '400', 'bad-request'],
  ['other URL than host', `GET http://other/ HTTP/1.1\r\n${HOST}\r\n`, '400', 'bad-request'],
  ['other scheme', `GET ftp://shop.example.com/ HTTP/1.1\r\n${HOST}\r\n`, '400', 'bad-request'],
  [
    'https on a plain port',
    `GET https://shop.example.com/ HTTP/1.1\r\n${HOST}\r\n`,
    '400',
    'bad-request',
  ],
  [
    'URL with a user',
    `GET http://u@shop.example.com/ HTTP/1.1\r\n${HOST}\r\n`,
    '400',
    'bad-request',
  ],
  ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', '400', 'bad-request'],
  ['OPTIONS *', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, '404', 'no-route'],
  [
    'length and chunks',
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    '400',
    'bad-request',
  ],
  [
    'two lengths',
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`,
    '400',
    'bad-request',
  ],
  [
    'two equal lengths',
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`,
    '400',
    'bad-request',
  ],
  [
    'length list',
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 3, 3\r\n\r\nabc`,
    '400',
    'bad-request',
  ],
  [
    'signed length',
    `POST / HTTP/1.1\r\n${HOST}Content-Length: +3\r\n\r\nabc`,
    '400',
    'bad-request',
  ],
  ['hex length', `POST / HTTP/1.1\r\n${HOST}Content-Length: 0x3\r\n\r\nabc`, '400', 'bad-request'],
  [
    'huge length',
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 99999999999999999999\r\n\r\nabc`,
    '400',
    'bad-request',
  ],
  [
    'gzip, chunked',
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    '501',
    'not-implemented',
  ],
  [
    'chunked twice',
    `POST / HTTP/1.1\r\n${HOST}${'Transfer-Encoding: chunked\r\n'.repeat(2)}\r\n0\r\n\r\n`,
    '400',
    'bad-request',
  ],
  [
    'identity',
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: identity\r\n\r\n`,
    '501',
    'not-implemented',
  ],
  [
    'xchunked',
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    '501',
    'not-implemented',
  ],
  [
    'chunks in 1.0',
    `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    '400',
    'bad-request',
  ],
  ['space before colon', `GET / HTTP/1.1\r\n${HOST}X-A : 1\r\n\r\n`, '400', 'bad-request'],
  ['folded line', `GET / HTTP/1.1\r\n${HOST}X-A: 1\r\n 2\r\n\r\n`, '400', 'bad-request'],
  ['bare LF', 'GET / HTTP/1.1\nHost: a\n\n', '400', 'bad-request'],
  ['bare CR in a value', `GET / HTTP/1.1\r\n${HOST}X-A: 1\r2\r\n\r\n`, '400', 'bad-request'],
  ['NUL in a value', `GET / HTTP/1.1\r\n${HOST}X-A: 1\u00002\r\n\r\n`, '400', 'bad-request'],
  ['no name', `GET / HTTP/1.1\r\n${HOST}: 1\r\n\r\n`, '400', 'bad-request'],
  ['an unknown method', `brew / HTTP/1.1\r\n${HOST}\r\n`, '501', 'not-implemented'],
  ['another version', `GET / HTTP/3.0\r\n${HOST}\r\n`, '505', 'version-not-supported'],
  ['not HTTP', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\r\n\r\n', '400', 'bad-request'],
  ['an escaped slash', `GET /a%2Fb HTTP/1.1\r\n${HOST}\r\n`, '400', 'bad-path'],
  ['a fragment', `GET /a?b#c HTTP/1.1\r\n${HOST}\r\n`, '400', 'bad-path'],
  ['a long target', `GET /${LONG} HTTP/1.1\r\n${HOST}\r\n`, '414', 'target-too-long'],
  [
    'many headers',
    `GET / HTTP/1.1\r\n${HOST}${'a: b\r\n'.repeat(150)}\r\n`,
    '431',
    'headers-too-large',
  ],
  [
    'large headers',
    `GET / HTTP/1.1\r\n${HOST}${`a: ${LONG}\r\n`.repeat(4)}\r\n`,
    '431',
    'headers-too-large',
  ],
  [
    'endless headers',
    `GET / HTTP/1.1\r\n${HOST}a: ${LONG.repeat(20)}\r\n\r\n`,
    '431',
    'headers-too-large',
  ],
  [
    'an offer that is none',
    `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: web socket\r\n\r\n`,
    '400',
    'upgrade-refused',
  ],
  [
    'another expectation',
    `POST / HTTP/1.1\r\n${HOST}Expect: 200-maybe\r\nContent-Length: 1\r\n\r\n`,
    '417',
    'expectation-failed',
  ],
]

test('what is refused is answered, recorded once, and closed', async (t) => {
  const { port, records, exchanges } = await startFront(t, () => ok('served'))
  for (const [what, bytes, status, cause] of REFUSED) {
    const before = records.length
    const client = raw(t, port, `${bytes}GET /next HTTP/1.1\r\n${HOST}\r\n`)
    await until(`closed: ${what}`, () => client.state !== 'open')
    assert.equal(statusOf(client), status, `${what}: ${client.text}`)
    assert.equal(causeOf(client), cause, what)
    assert.match(client.text, /content-type: application\/problem\+json/i, what)
    assert.match(client.text, /connection: close/i, what)
    assert.equal(client.text.match(/HTTP\/1\.1 /g)?.length, 1, `${what}: ${client.text}`)
    assert.equal(records.length, before + 1, what)
    assert.equal(records.at(-1)?.cause, cause, what)
  }
  assert.ok(exchanges.every(({ decision }) => decision?.kind === 'fail'))
  assert.equal((await get(port, '/after')).body, 'served')
})

test('what is unusual but clear is served', async (t) => {
  const { port, exchanges } = await startFront(t, () => ok('served'))
  const requests = [
    `GET http://SHOP.example.com:80/a?b HTTP/1.1\r\n${HOST}\r\n`,
    `GET HTTP://shop.example.com HTTP/1.1\r\n${HOST}\r\n`,
    `GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n`,
    `GET / HTTP/1.0\r\n${HOST}\r\n`,
    `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n` +
      'HTTP2-Settings: AAMAAABk\r\n\r\n',
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\n`,
    `\r\n\r\nGET / HTTP/1.1\r\n${HOST}\r\n`,
  ]
  for (const bytes of requests) {
    const client = raw(t, port, bytes)
    await until(`answered: ${bytes}`, () => client.text.endsWith('served'))
    assert.equal(statusOf(client), '200')
  }
  assert.deepEqual(
    exchanges.map(({ path }) => path),
    ['/a', '/', '/', '/', '/', '/', '/'],
  )
})

test('requests on one connection are answered in their order', async (t) => {
  const { port, records } = await startFront(t, async ({ path }) => {
    await new Promise((resolve) => setTimeout(resolve, path === '/1' ? 30 : 0))
    return ok(path)
  })
  const one = (path: string): string => `GET ${path} HTTP/1.1\r\n${HOST}\r\n`
  const client = raw(t, port, one('/1') + one('/2') + one('/3'))
  await until('all are answered', () => client.text.endsWith('/3'))
  assert.deepEqual(client.text.match(/\/\d$|\/\d(?=HTTP)/gm), ['/1', '/2', '/3'])
  assert.equal(records.length, 3)
})

test('requests that come together are served one after the other', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  let running = 0
  let most = 0
  const { front, port, records } = await startFront(t, async (exchange, runtime) => {
    most = Math.max(most, ++running)
    const answer = exchange.body.empty ? ok(exchange.path) : await echo(exchange, runtime)
    await promise
    running--
    return answer
  })
  const many = Array.from({ length: 20_000 }, (_, i) =>
    i % 100 === 7
      ? `POST /${i} HTTP/1.1\r\n${HOST}Content-Length: 4\r\n\r\nbody`
      : `GET /${i} HTTP/1.1\r\n${HOST}\r\n`,
  )
  const client = raw(t, port, many.join(''))
  for (let i = 0; i < 100; i++) await turn()
  const [connection] = front.connections
  assert.ok((connection?.bytesRead ?? Number.NaN) <= 2 * 65_536, 'and no more is read')
  resolve()
  await until('all are answered', () => client.text.endsWith('/19999'))
  assert.equal(most, 1)
  assert.equal(records.length, many.length)
  const bodies = [...client.text.matchAll(/\r\n\r\n(\/\d+|POST \S+ \S+ body)/g)]
  const expected = many.map((_, i) =>
    i % 100 === 7 ? `POST shop.example.com /${i} body` : `/${i}`,
  )
  assert.deepEqual(
    bodies.map(([, body]) => body),
    expected,
  )
})

test('what ends a connection is answered after what came before it', async (t) => {
  const { port, records } = await startFront(t, async ({ path }) => {
    if (path === '/slow') for (let i = 0; i < 20; i++) await turn()
    return ok(path)
  })
  for (const [last, status] of [
    [`CONNECT a:1 HTTP/1.1\r\n${HOST}\r\n`, '400'],
    [`GET /a%2Fb HTTP/1.1\r\n${HOST}\r\n`, '400'],
    [`GET /x HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: foo\r\n\r\n`, '200'],
    [`GET /x HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, '200'],
  ] as const) {
    const next = `GET /next HTTP/1.1\r\n${HOST}\r\n`
    const client = raw(t, port, `GET /slow HTTP/1.1\r\n${HOST}\r\n${last}${next}`)
    await until(`closed after ${last}`, () => client.state !== 'open')
    const statuses = [...client.text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => code)
    assert.deepEqual(statuses, ['200', status], client.text)
  }
  assert.equal(records.length, 8)
})

test('garbage after a request does not take its answer away', async (t) => {
  const { port, records } = await startFront(t, async () => {
    await new Promise((resolve) => setTimeout(resolve, 20))
    return ok('first')
  })
  const client = raw(t, port, `GET /1 HTTP/1.1\r\n${HOST}\r\nGARBAGE\r\n\r\n`)
  await until('closed', () => client.state !== 'open')
  assert.match(client.text, /^HTTP\/1\.1 200 [\s\S]*firstHTTP\/1\.1 400 /)
  assert.deepEqual(
    records.map(({ status }) => status),
    [200, 400],
  )
})

test('a slow head gets 408, a silent connection nothing', async (t) => {
  const { port, records } = await startFront(t, () => ok('served'))
  const slow = raw(t, port, `GET / HTTP/1.1\r\n${HOST}`)
  const silent = raw(t, port, '')
  const startedMs = monotonicMs()
  await until('both are closed', () => slow.state !== 'open' && silent.state !== 'open', 15_000)
  assert.ok(monotonicMs() - startedMs >= 400)
  assert.equal(statusOf(slow), '408')
  assert.equal(silent.text, '')
  assert.deepEqual(
    records.map(({ cause }) => cause),
    ['request-timeout'],
  )
})

test('more connections than a worker may hold are closed, the others are served', async (t) => {
  const { port } = await startFront(t, () => ok('served'))
  const clients = Array.from({ length: 70 }, () => raw(t, port, `GET / HTTP/1.1\r\n${HOST}\r\n`))
  const settled = ({ text, state }: Raw): boolean => text.endsWith('served') || state === 'closed'
  await until('all are answered or closed', () => clients.every(settled))
  assert.equal(clients.filter(({ text }) => text.endsWith('served')).length, 60)
})

test('the client is who a trusted proxy says it is', async (t) => {
  const trust = (address: string): 'trusted' | 'untrusted' =>
    address.startsWith('127.') || address.startsWith('10.') ? 'trusted' : 'untrusted'
  const { port, exchanges } = await startFront(t, () => ok('served'), { trust })
  const headers = {
    'x-forwarded-for': '6.6.6.6, 192.0.2.7, 10.1.1.1',
    'x-forwarded-proto': 'https',
  }
  await get(port, '/', { headers })
  assert.equal(exchanges[0]?.ip, '192.0.2.7')
  assert.equal(exchanges[0]?.scheme, 'https')
  assert.equal(exchanges[0]?.peer, '127.0.0.1')
  assert.equal(exchanges[0]?.peerTrust, 'trusted')
})

test('a connection ends after so many requests, and an idle one after its time', async (t) => {
  const bounds = { requestsMax: 3, idleMs: 200 }
  const { port, records } = await startFront(t, ({ path }) => ok(path), null, bounds)
  const one = (path: string): string => `GET ${path} HTTP/1.1\r\n${HOST}\r\n`
  const many = raw(t, port, one('/1') + one('/2') + one('/3') + one('/4'))
  const idle = raw(t, port, one('/5'))
  await until('both are closed', () => many.state !== 'open' && idle.state !== 'open')
  assert.match(many.text, /connection: close\r\n\r\n\/3$/)
  assert.doesNotMatch(idle.text, /connection: close/)
  assert.ok(idle.text.endsWith('/5'))
  assert.equal(records.length, 4)
})

test('a body that stops coming ends its exchange, one that nobody reads does not', async (t) => {
  const { port, records, exchanges } = await startFront(
    t,
    (exchange, runtime) =>
      exchange.path === '/echo' ? echo(exchange, runtime) : new Promise(() => undefined),
    null,
    { bodyIdleMs: 150 },
  )
  const ask = (path: string): string =>
    `POST ${path} HTTP/1.1\r\n${HOST}Content-Length: 9\r\n\r\nhell`
  const read = raw(t, port, ask('/echo'))
  const unread = raw(t, port, ask('/unread'))
  await until('it is ended', () => read.state === 'closed')
  await until('it is recorded', () => records.length === 1)
  assert.equal(exchanges.length, 2)
  assert.equal(unread.state, 'open')
})

test('HTTP/1.0 keeps its connection where it asks for it and the length is known', async (t) => {
  const { port } = await startFront(t, ({ path }) => ok(path))
  const one = `GET /a HTTP/1.0\r\n${HOST}Connection: keep-alive\r\n\r\n`
  const client = raw(t, port, one)
  await until('answered', () => client.text.endsWith('/a'))
  assert.match(client.text, /^HTTP\/1\.1 200 OK\r\n[\s\S]*connection: keep-alive\r\n\r\n\/a$/)
  client.socket.write(`GET /b HTTP/1.0\r\n${HOST}\r\n`)
  await until('closed', () => client.state !== 'open')
  assert.match(client.text, /connection: close\r\n\r\n\/b$/)
})
