/**
 * Proves switches of protocols over HTTP/1, through a real front and a real lane to a real backend.
 */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { fakeRule } from '../../test/fake/rule.ts'
import { raw } from '../fake/plane.ts'
import { proxy } from '../phases/forward/proxy.ts'
import { answerOf, type Script, until, valuesOf } from '../upstream/fake/recorder.ts'
import { PROXY, type Proxied, startProxied } from './fake/proxied.ts'
import { HOST, statusOf } from './fake/front.ts'

const RULE = fakeRule({ totalTimeoutMs: 5_000, action: PROXY })
const OFFER = `GET /ws HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: foo/2\r\nX-A: 1\r\n\r\n`
const SWITCH = 'HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: foo/2\r\nX-B: 2\r\n\r\n'

function through(t: TestContext, script: Script): Promise<Proxied> {
  return startProxied(t, script, (exchange, runtime) => proxy(PROXY, RULE, exchange, runtime))
}

/** Switches, then gives back what it gets, and says bye. */
const ECHO: Script = {
  request: ({ nth }, socket) => {
    if (nth > 1) return
    socket.removeAllListeners('data')
    socket.write(`${SWITCH}first`, 'latin1')
    socket.on('data', (chunk) => socket.write(chunk))
    socket.allowHalfOpen = true
    socket.on('end', () => socket.end('bye'))
  },
}

test('bytes pass both ways, and each way ends on its own', async (t) => {
  const { port, server, records, bugs } = await through(t, ECHO)
  const client = raw(t, port, OFFER)
  client.socket.allowHalfOpen = true
  await until('it has switched', () => client.text.endsWith('first'))
  const [head = ''] = client.text.split('\r\n\r\n')
  assert.match(head, /^HTTP\/1\.1 101 /)
  assert.match(head, /\r\nconnection: upgrade\r\n/)
  assert.match(head, /\r\nupgrade: foo\/2/i)
  assert.match(head, /\r\nX-B: 2\r\n/)
  assert.doesNotMatch(head, /content-length|transfer-encoding/i)
  assert.deepEqual(valuesOf(server.requests[0]?.headers ?? [], 'upgrade'), ['foo/2'])
  const bytes = 'GET / HTTP/1.1\r\n\r\n\0\xff'
  client.socket.write(bytes, 'latin1')
  await until('it comes back', () => client.text.endsWith(`first${bytes}`))
  assert.equal(records.length, 0)
  client.socket.end()
  await until('the other way ends too', () => client.state !== 'open')
  assert.ok(client.text.endsWith(`${bytes}bye`))
  await until('it is recorded', () => records.length === 1)
  const [record] = records
  assert.deepEqual(
    [record?.status, record?.bytesIn, record?.bytesOut, record?.complete, record?.cause],
    [101, bytes.length, bytes.length + 'firstbye'.length, true, null],
  )
  assert.equal(server.requests.length, 1)
  assert.deepEqual(bugs, [])
})

test('a backend that ends first ends the way to the client alone', async (t) => {
  const held: Socket[] = []
  let came = ''
  const { port, records } = await through(t, {
    request: (_, socket) => {
      held.push(socket)
      socket.removeAllListeners('data')
      socket.allowHalfOpen = true
      socket.on('data', (chunk) => (came += chunk.toString()))
      socket.end(`${SWITCH}last`)
    },
  })
  const client = raw(t, port, OFFER)
  client.socket.allowHalfOpen = true
  await until('the way to the client has ended', () => client.state === 'ended')
  assert.ok(client.text.endsWith('last'))
  client.socket.write('still here')
  await until('the other way goes on', () => came === 'still here')
  assert.equal(records.length, 0)
  client.socket.end()
  await until('it is recorded', () => records.length === 1)
  assert.deepEqual([records[0]?.complete, records[0]?.bytesIn], [true, 10])
})

test('a tunnel is paced from end to end, both ways', async (t) => {
  const chunk = Buffer.alloc(64 * 1024)
  const total = 32 * 1024 * 1024
  let written = 0
  let taken = 0
  const pump = (socket: Socket): void => {
    while (written < total) {
      written += chunk.length
      if (!socket.write(chunk)) return void socket.once('drain', () => pump(socket))
    }
  }
  const held: Socket[] = []
  const { port, records } = await through(t, {
    request: (_, socket) => {
      held.push(socket)
      socket.removeAllListeners('data')
      socket.write(SWITCH)
      socket.on('data', (piece: Buffer) => (taken += piece.length))
      socket.pause()
      pump(socket)
    },
  })
  const client = raw(t, port, OFFER)
  await until('it has switched', () => client.text.length > 0)
  client.socket.pause()
  let given = 0
  const give = (): void => {
    while (given < total) {
      given += chunk.length
      if (!client.socket.write(chunk)) return void client.socket.once('drain', give)
    }
  }
  give()
  let last = -1
  await until('both stand still', () => {
    const still = last === written + given
    last = written + given
    return still
  })
  assert.ok(written < total && given < total, `${written} and ${given} were taken unread`)
  client.socket.resume()
  held[0]?.resume()
  await until('all has come', () => taken === total && client.text.length > total, 30_000)
  client.socket.destroy()
  await until('it is recorded', () => records.length === 1)
  assert.equal(records[0]?.bytesIn, total)
})

test('whoever is lost takes the other side with it, and one record says whose fault', async (t) => {
  const { port, server, records } = await through(t, ECHO)
  const leaving = raw(t, port, OFFER)
  await until('it has switched', () => leaving.text.endsWith('first'))
  leaving.socket.resetAndDestroy()
  await until('the backend is let go', () => server.sockets[0]?.destroyed)
  await until('it is recorded', () => records.length === 1)
  const staying = raw(t, port, OFFER)
  await until('it has switched', () => staying.text.endsWith('first'))
  server.sockets[1]?.resetAndDestroy()
  await until('the client sees it', () => staying.state === 'closed')
  await until('it is recorded', () => records.length === 2)
  assert.deepEqual(
    records.map(({ status, cause, complete }) => [status, cause, complete]),
    [
      [101, 'client-closed', false],
      [101, 'upstream-reset', false],
    ],
  )
})

test('what is answered instead of 101 is an ordinary answer, and the last one', async (t) => {
  const { port, records, server } = await through(t, {
    request: (_, socket) => void socket.write(answerOf('no', 'X-B: 2\r\n')),
  })
  const next = `GET /next HTTP/1.1\r\n${HOST}\r\n`
  const client = raw(t, port, OFFER + next)
  await until('it is closed', () => client.state !== 'open')
  assert.equal(statusOf(client), '200')
  assert.match(client.text, /connection: close\r\n/)
  assert.ok(client.text.endsWith('no'))
  assert.deepEqual([records.length, server.requests.length], [1, 1])
})

test('a client that has not waited gets no tunnel, and its bytes go nowhere', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { port, records, server } = await through(t, {
    request: (_, socket) => void promise.then(() => socket.write(SWITCH)),
  })
  const client = raw(t, port, OFFER)
  await until('it is asked', () => server.requests.length === 1)
  client.socket.write(`GET /smuggled HTTP/1.1\r\n${HOST}\r\n`)
  await until('it has come', () => client.socket.bytesWritten > OFFER.length)
  await new Promise<void>((done) => setImmediate(() => setImmediate(done)))
  resolve()
  await until('it is refused', () => client.state !== 'open')
  assert.equal(statusOf(client), '400')
  assert.match(client.text, /x-fairlead-cause: upgrade-refused/)
  await until('the backend is let go', () => server.sockets[0]?.destroyed)
  assert.deepEqual([server.requests.length, records.length], [1, 1])
})

test('a front that is destroyed ends its tunnels, each with its record', async (t) => {
  const { port, front, records, server } = await through(t, ECHO)
  const client = raw(t, port, OFFER)
  await until('it has switched', () => client.text.endsWith('first'))
  assert.deepEqual(
    front.connections.map(({ state }) => state),
    ['busy'],
  )
  front.closeAfterAnswers(10)
  client.socket.write('x')
  await until('a drain leaves it alone', () => client.text.endsWith('firstx'))
  front.destroy()
  await until('it is recorded', () => records.length === 1)
  await until('the backend is let go', () => server.sockets[0]?.destroyed)
})
