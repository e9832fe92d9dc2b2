/**
 * Proves TLS of the clients over real sockets, with real certificates.
 */
import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:https'
import { connect as connectHttp2 } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { test, type TestContext } from 'node:test'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { certificateFor, type Pair } from '../../test/fake/certificate.ts'
import { until } from '../upstream/fake/recorder.ts'
import { tlsHosts, type TlsHost } from '../runtime/tls-hosts.ts'
import { type Answering, type FrontUnderTest, ok, startFront } from './fake/front.ts'
import type { TlsSettings } from './tls.ts'

interface Secured extends FrontUnderTest {
  readonly https: number
  /** Puts other hosts in force. */
  readonly hosts: (hosts: Readonly<Record<string, TlsHost>>) => void
}

const SETTINGS: TlsSettings = {
  minVersion: 'TLSv1.2',
  ciphers: null,
  ticketKeys: Buffer.alloc(48, 7),
}

const answering: Answering = (exchange) =>
  ok(`${exchange.scheme} ${exchange.host} ${exchange.path}`)

async function secured(
  t: TestContext,
  hosts: Readonly<Record<string, TlsHost>>,
  settings = SETTINGS,
): Promise<Secured> {
  const under = await startFront(t, answering)
  const put = (list: Readonly<Record<string, TlsHost>>): void => {
    under.runtime.table = { ...under.runtime.table, tls: tlsHosts(new Map(Object.entries(list))) }
  }
  put(hosts)
  const address = { host: '127.0.0.1', port: 0, reusePort: false }
  const { port: https } = await under.front.listenTls(address, settings)
  return { ...under, https, hosts: put }
}

function host(pairs: Readonly<Record<string, Pair>>, names: readonly string[]): TlsHost {
  const certificates = Object.entries(pairs).map(([key, { cert, key: privateKey }]) => ({
    key,
    chain: cert,
    names,
    keyKind: createPrivateKey(privateKey).asymmetricKeyType ?? '',
    privateKey: { base64: Buffer.from(privateKey).toString('base64') },
  }))
  return { set: Object.keys(pairs).join(' '), http: 'serve', certificates }
}

async function shake(t: TestContext, port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options })
  t.after(() => socket.destroy())
  const failed = once(socket, 'error').then(([error]) => Promise.reject(error))
  await Promise.race([once(socket, 'secureConnect'), failed])
  return socket
}

async function get(socket: TLSSocket, name: string): Promise<string> {
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  socket.write(`GET / HTTP/1.1\r\nHost: ${name}\r\n\r\n`)
  await until('it is answered', () => /\r\n\r\n.+$/s.test(text))
  socket.removeAllListeners('data')
  return text
}

test('the name that a client asks for decides its certificate, exact before wildcard', async (t) => {
  const [exact, wild] = [
    await certificateFor(['a.shop.test']),
    await certificateFor(['*.shop.test']),
  ]
  const { https } = await secured(t, {
    'a.shop.test': host({ exact }, ['a.shop.test']),
    '*.shop.test': host({ wild }, ['*.shop.test']),
  })
  for (const [servername, pair] of [
    ['a.shop.test', exact],
    ['b.shop.test', wild],
    ['A.SHOP.test', exact],
  ] as const) {
    const socket = await shake(t, https, { servername, ca: pair.cert, rejectUnauthorized: true })
    const answer = await get(socket, servername)
    assert.match(answer, /^HTTP\/1.1 200 /)
    assert.match(answer, /https [ab]\.shop\.test \/$/)
  }
})

test('a name that nobody serves, and no name, are refused before any handshake', async (t) => {
  const pair = await certificateFor(['a.test'])
  const { https, hosts } = await secured(t, { 'a.test': host({ pair }, ['a.test']) })
  await assert.rejects(shake(t, https, { servername: 'b.test' }), {
    code: 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME',
  })
  await assert.rejects(shake(t, https, {}), { code: 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME' })
  hosts({ '*': host({ pair }, ['a.test']) })
  assert.match(await get(await shake(t, https, {}), 'any.test'), / 200 /)
})

test('a host of another certificate gets 421, one of the same is served', async (t) => {
  const [one, two] = [await certificateFor(['a.test', 'b.test']), await certificateFor(['c.test'])]
  const same = host({ one }, ['a.test', 'b.test'])
  const { https, records } = await secured(t, {
    'a.test': same,
    'b.test': { ...same },
    'c.test': host({ two }, ['c.test']),
  })
  const socket = await shake(t, https, { servername: 'a.test' })
  assert.match(await get(socket, 'b.test'), /^HTTP\/1.1 200 /)
  assert.match(await get(socket, 'c.test'), /^HTTP\/1.1 421 [\s\S]*x-fairlead-cause: misdirected/)
  const other = await shake(t, https, { servername: 'a.test' })
  assert.match(await get(other, 'unknown.test'), /^HTTP\/1.1 421 /)
  assert.deepEqual(
    records.map(({ status }) => status),
    [200, 421, 421],
  )
})

test('a certificate that changes is shown to the next client and drops nobody', async (t) => {
  const [old, young] = [await certificateFor(['a.test']), await certificateFor(['a.test'])]
  const { https, hosts } = await secured(t, { 'a.test': host({ pair: old }, ['a.test']) })
  const before = await shake(t, https, {
    servername: 'a.test',
    ca: old.cert,
    rejectUnauthorized: true,
  })
  assert.match(await get(before, 'a.test'), / 200 /)
  hosts({ 'a.test': host({ pair: young }, ['a.test']) })
  const after = await shake(t, https, {
    servername: 'a.test',
    ca: young.cert,
    rejectUnauthorized: true,
  })
  assert.match(await get(after, 'a.test'), / 200 /)
  assert.match(await get(before, 'a.test'), / 200 /, 'the same certificates by name')
})

test('one host may have certificates of several kinds', async (t) => {
  const [ec, rsa] = [
    await certificateFor(['a.test']),
    await certificateFor(['a.test'], { kind: 'rsa' }),
  ]
  const { https } = await secured(t, { 'a.test': host({ ec, rsa }, ['a.test']) })
  for (const [sigalgs, pair] of [
    ['ECDSA+SHA256', ec],
    ['RSA-PSS+SHA256:RSA+SHA256', rsa],
  ] as const) {
    const options = { servername: 'a.test', ca: pair.cert, rejectUnauthorized: true, sigalgs }
    assert.match(await get(await shake(t, https, options), 'a.test'), / 200 /)
  }
})

test('HTTP/2 is spoken where the client offers it', async (t) => {
  const pair = await certificateFor(['a.test', 'b.test'])
  const { https, records } = await secured(t, {
    'a.test': host({ pair }, ['a.test']),
    'c.test': host({ other: pair }, ['a.test']),
  })
  const client = connectHttp2(`https://127.0.0.1:${https}`, { servername: 'a.test', ca: pair.cert })
  t.after(() => client.destroy())
  for (const [authority, status] of [
    ['a.test', 200],
    ['c.test', 421],
  ] as const) {
    const stream = client.request({ ':authority': authority, ':path': '/' })
    stream.resume()
    const [head] = await once(stream, 'response')
    assert.equal(head[':status'], status)
  }
  assert.deepEqual(
    records.map(({ protocol, scheme }) => `${protocol} ${scheme}`),
    ['2 https', '2 https'],
  )
  await assert.rejects(shake(t, https, { servername: 'a.test', ALPNProtocols: ['spdy/3'] }))
})

test('a session goes on over another worker that has the same keys, and ends with them', async (t) => {
  const pair = await certificateFor(['a.test'])
  const hosts = { 'a.test': host({ pair }, ['a.test']) }
  const [first, second] = [await secured(t, hosts), await secured(t, hosts)]
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const options = { servername: 'a.test', maxVersion }
    const socket = connect({
      host: '127.0.0.1',
      port: first.https,
      rejectUnauthorized: false,
      ...options,
    })
    t.after(() => socket.destroy())
    const [session] = await Promise.all([once(socket, 'session'), get(socket, 'a.test')])
    const resumed = await shake(t, second.https, { ...options, session: session[0] })
    assert.equal(resumed.isSessionReused(), true, maxVersion)
    assert.match(await get(resumed, 'a.test'), / 200 /)
    second.front.ticketKeys(Buffer.alloc(48, 9))
    const anew = await shake(t, second.https, { ...options, session: session[0] })
    assert.equal(anew.isSessionReused(), false, maxVersion)
    second.front.ticketKeys(SETTINGS.ticketKeys)
  }
})

test('versions and ciphers that the operator does not allow are refused', async (t) => {
  const pair = await certificateFor(['a.test'])
  const hosts = { 'a.test': host({ pair }, ['a.test']) }
  const { https } = await secured(t, hosts, { ...SETTINGS, minVersion: 'TLSv1.3' })
  await assert.rejects(shake(t, https, { servername: 'a.test', maxVersion: 'TLSv1.2' }))
  const ciphers = 'ECDHE-ECDSA-AES128-GCM-SHA256'
  const narrow = await secured(t, hosts, { ...SETTINGS, ciphers })
  const options = { servername: 'a.test', maxVersion: 'TLSv1.2' } as const
  assert.equal((await shake(t, narrow.https, options)).getCipher().name, ciphers)
  await assert.rejects(
    shake(t, narrow.https, { ...options, ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }),
  )
})

test('what is no TLS, or stops in the middle, ends its own connection only', async (t) => {
  const pair = await certificateFor(['a.test'])
  const { https, bugs } = await secured(t, { 'a.test': host({ pair }, ['a.test']) })
  for (const said of [
    'GET / HTTP/1.1\r\n\r\n',
    '\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00',
    '\x16\x03\x01\x02\x00\x01',
    '',
  ]) {
    const socket = connectTcp({ host: '127.0.0.1', port: https })
    socket.on('error', () => undefined)
    let state: 'open' | 'closed' = 'open'
    socket.on('close', () => {
      state = 'closed'
    })
    socket.on('data', () => undefined)
    socket.write(said, 'latin1')
    await until(`${JSON.stringify(said)}: closed`, () => state === 'closed')
  }
  assert.match(await get(await shake(t, https, { servername: 'a.test' }), 'a.test'), / 200 /)
  assert.deepEqual(bugs, [])
})

test('an ordinary client is served by name', async (t) => {
  const pair = await certificateFor(['a.test'])
  const { https } = await secured(t, { 'a.test': host({ pair }, ['a.test']) })
  const asked = request({
    host: '127.0.0.1',
    port: https,
    servername: 'a.test',
    ca: pair.cert,
    headers: { host: 'a.test' },
  })
  asked.end()
  const [answer] = await once(asked, 'response')
  answer.resume()
  assert.equal(answer.statusCode, 200)
})
