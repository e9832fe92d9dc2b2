/**
 * Proves WebSockets on streams of HTTP/2, through a real front to a real backend over HTTP/1.1.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import { test, type TestContext } from 'node:test'
import { fakeRule } from '../../test/fake/rule.ts'
import { forward } from '../phases/forward.ts'
import { answerOf, type Recorded, type Script, until, valuesOf } from '../upstream/fake/recorder.ts'
import { PROXY, type Proxied, startProxied } from './fake/proxied.ts'
import { session } from './fake/http2-client.ts'

const RULE = fakeRule({ totalTimeoutMs: 5_000, action: PROXY })

interface Rig extends Proxied {
  readonly client: ClientHttp2Session
}

async function through(t: TestContext, script: Script): Promise<Rig> {
  const under = await startProxied(t, script, (exchange, runtime) => {
    exchange.upstreamHeaders = ['x-from', 'us']
    exchange.rule = RULE
    return forward(exchange, runtime)
  })
  const client = session(t, under.port)
  await new Promise<void>((resolve) => client.once('remoteSettings', () => resolve()))
  return { ...under, client }
}

function proofOf({ headers }: Recorded): string {
  const [key = ''] = valuesOf(headers, 'sec-websocket-key')
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}

const echo = (proof: (request: Recorded) => string): Script => ({
  request: (request, socket) => {
    socket.removeAllListeners('data')
    const head = 'HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
    socket.write(`${head}Sec-WebSocket-Accept: ${proof(request)}\r\nX-B: 2\r\n\r\nfirst`)
    socket.on('data', (chunk) => socket.write(chunk))
    socket.allowHalfOpen = true
    socket.on('end', () => socket.end('bye'))
  },
})

interface Tunnel {
  readonly stream: ClientHttp2Stream
  status: number | null
  fields: Readonly<Record<string, unknown>>
  text: string
  state: 'open' | 'ended' | 'closed'
}

function connect(client: ClientHttp2Session, protocol = 'websocket'): Tunnel {
  const stream = client.request({
    ':method': 'CONNECT',
    ':protocol': protocol,
    ':scheme': 'http',
    ':path': '/ws?a',
    ':authority': 'shop.example.com',
  })
  const tunnel: Tunnel = { stream, status: null, fields: {}, text: '', state: 'open' }
  stream.setEncoding('latin1')
  stream.on('response', (fields) => {
    tunnel.fields = fields
    tunnel.status = fields[':status'] ?? null
  })
  stream.on('data', (chunk: string) => (tunnel.text += chunk))
  stream.on('end', () => (tunnel.state = 'ended'))
  stream.on('close', () => (tunnel.state = 'closed'))
  stream.on('error', () => undefined)
  return tunnel
}

test('a WebSocket on a stream is the same tunnel as one over HTTP/1.1', async (t) => {
  const { client, server, records, bugs } = await through(t, echo(proofOf))
  assert.equal(client.remoteSettings.enableConnectProtocol, true)
  const tunnel = connect(client)
  await until('it has switched', () => tunnel.text === 'first')
  assert.equal(tunnel.status, 200)
  assert.equal(tunnel.fields['x-b'], '2')
  assert.equal(tunnel.fields['sec-websocket-accept'], undefined)
  const [asked] = server.requests
  assert.deepEqual([asked?.method, asked?.target], ['GET', '/ws?a'])
  assert.deepEqual(valuesOf(asked?.headers ?? [], 'upgrade'), ['websocket'])
  const other = connect(client)
  await until('another one beside it', () => other.text === 'first')
  other.stream.close(8)
  tunnel.stream.write('hello')
  await until('it comes back', () => tunnel.text === 'firsthello')
  tunnel.stream.end()
  await until('the other way ends too', () => tunnel.state !== 'open')
  assert.equal(tunnel.text, 'firsthellobye')
  await until('both are recorded', () => records.length === 2)
  assert.deepEqual(
    records.map(({ protocol, method, status, cause }) => [protocol, method, status, cause]),
    [
      ['2', 'GET', 101, 'client-closed'],
      ['2', 'GET', 101, null],
    ],
  )
  assert.deepEqual(bugs, [])
})

test('a backend that is lost resets the stream and nothing else', async (t) => {
  const { client, server, records } = await through(t, echo(proofOf))
  const tunnel = connect(client)
  const other = connect(client)
  await until('both have switched', () => tunnel.text === 'first' && other.text === 'first')
  server.sockets[0]?.resetAndDestroy()
  await until('one is reset', () => tunnel.state === 'closed' || other.state === 'closed')
  const left = tunnel.state === 'closed' ? other : tunnel
  left.stream.write('x')
  await until('the other goes on', () => left.text === 'firstx')
  assert.deepEqual([records.length, records[0]?.cause], [1, 'upstream-reset'])
})

test('what is no switch is an answer, and what is wrong is refused', async (t) => {
  const plain = await through(t, {
    request: (_, socket) => void socket.write(answerOf('no')),
  })
  const refused = connect(plain.client)
  await until('it is refused', () => refused.status !== null)
  assert.equal(refused.status, 400, 'a 200 would say that the WebSocket is open')
  const unknown = connect(plain.client, 'connect-udp')
  await until('it is refused', () => unknown.status !== null)
  assert.equal(unknown.status, 501)
  assert.equal(plain.server.requests.length, 1)
  const liar = await through(
    t,
    echo(() => 'x'),
  )
  const wrong = connect(liar.client)
  await until('it is refused', () => wrong.status !== null)
  assert.equal(wrong.status, 502)
  await until('the backend is let go', () => liar.server.sockets[0]?.destroyed)
})
