/**
 * Proves what follows a 101 on a backend's connection.
 */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { Failure } from '../request/failure.ts'
import type { Tunnel, TunnelSide } from '../request/tunnel.ts'
import {
  failureOf,
  headOf,
  recorder,
  readAll,
  send,
  type Sent,
  textOf,
  upstreamOf,
} from './fake/outgoing.ts'
import { answerOf, type Recorder, type Script, until, valuesOf } from './fake/recorder.ts'
import { TIMEOUTS } from './timeouts.ts'
import { DEFAULT_DELIVERY } from './delivery.ts'

const SWITCH =
  'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nX-A: 1\r\n\r\n'
const OFFER = { upgrade: 'websocket' } as const

class Client implements TunnelSide {
  text = ''
  bytes = 0
  pace: 'more' | 'pause' = 'more'
  resumes = 0
  readonly ends: string[] = []
  data(chunk: Buffer): 'more' | 'pause' {
    this.bytes += chunk.length
    if (this.text.length < 1_000) this.text += chunk.toString('latin1')
    return this.pace
  }
  end(): void {
    this.ends.push('end')
  }
  resume(): void {
    this.resumes++
  }
  abort({ cause }: Failure): void {
    this.ends.push(cause)
  }
}

interface Rig {
  readonly server: Recorder
  readonly sent: Sent
  readonly ask: (some?: Parameters<typeof send>[1]) => Sent
  readonly text: () => Promise<string>
}

async function rig(t: TestContext, script: Script): Promise<Rig> {
  const server = await recorder(t, script)
  const upstream = upstreamOf(t, [server.port])
  const ask: Rig['ask'] = (some) => send(upstream, { ...OFFER, ...some })
  return { server, sent: ask(), ask, text: () => textOf(upstream) }
}

async function tunnelOf(sent: Sent): Promise<Tunnel> {
  const { status, tunnel } = headOf(await sent.outcome)
  assert.equal(status, 101)
  assert.ok(tunnel !== undefined)
  return tunnel
}

/** Switches, and gives back what it gets. */
function echo(first = ''): Script {
  return {
    request: ({ nth }, socket) => {
      if (nth > 1) return
      socket.write(SWITCH + first, 'latin1')
      socket.on('data', (chunk) => socket.write(chunk))
      socket.on('end', () => socket.end('bye'))
    },
  }
}

test('bytes pass both ways, and each way ends on its own', async (t) => {
  const { server, sent } = await rig(t, echo('first'))
  const head = headOf(await sent.outcome)
  assert.deepEqual(head.headers, ['X-A', '1', 'upgrade', 'WebSocket'])
  const asked = server.requests[0]?.headers ?? []
  assert.deepEqual(valuesOf(asked, 'connection'), ['upgrade'])
  assert.deepEqual(valuesOf(asked, 'upgrade'), ['websocket'])
  const client = new Client()
  head.tunnel?.open(client)
  await until('what came with the head is there', () => client.text === 'first')
  // Bytes that could be taken for HTTP are bytes.
  const bytes = 'GET / HTTP/1.1\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n\0\xff'
  head.tunnel?.data(Buffer.from(bytes, 'latin1'))
  await until('they have come back', () => client.text === `first${bytes}`)
  head.tunnel?.end()
  await until('the other way ends after the last byte', () => client.ends.length === 1)
  assert.deepEqual([client.ends, client.text], [['end'], `first${bytes}bye`])
  await until('it is closed', () => server.sockets[0]?.destroyed)
})

test('each way is paced by its reader', async (t) => {
  let written = 0
  const chunk = Buffer.alloc(64 * 1024)
  const pump = (socket: Socket): void => {
    while (written < 64 * 1024 * 1024) {
      written += chunk.length
      if (!socket.write(chunk)) return void socket.once('drain', () => pump(socket))
    }
  }
  const { server, sent } = await rig(t, {
    request: (_, socket) => {
      socket.write(SWITCH)
      socket.pause()
      pump(socket)
    },
  })
  const tunnel = await tunnelOf(sent)
  const client = new Client()
  client.pace = 'pause'
  tunnel.open(client)
  let last = -1
  await until('the backend stands still', () => {
    const still = last === written && client.bytes > 0
    last = written
    return still
  })
  assert.ok(written < 32 * 1024 * 1024, `${written} bytes were taken though nobody reads`)
  assert.ok(client.bytes <= 128 * 1024, `${client.bytes} came though it was paused`)
  let given = 0
  while (given < 64 * 1024 * 1024 && tunnel.data(chunk) === 'more') {
    given += chunk.length
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(given < 32 * 1024 * 1024, `${given} bytes were taken though the backend does not read`)
  server.sockets[0]?.resume()
  await until('the client may go on', () => client.resumes > 0)
  client.pace = 'more'
  tunnel.resume()
  await until('all has come', () => client.bytes === 64 * 1024 * 1024, 20_000)
})

test('a backend that is lost, and a client that leaves, end both ways', async (t) => {
  const { server, sent, ask } = await rig(t, echo())
  const client = new Client()
  const tunnel = await tunnelOf(sent)
  tunnel.open(client)
  server.sockets[0]?.resetAndDestroy()
  await until('it has failed', () => client.ends.length === 1)
  assert.deepEqual(client.ends, ['upstream-reset'])
  const second = ask()
  const other = await tunnelOf(second)
  other.open(new Client())
  second.call.abort()
  await until('the connection is given up', () => server.sockets[1]?.destroyed)
})

test('a tunnel in which nothing moves ends', async (t) => {
  const { ask } = await rig(t, echo())
  const client = new Client()
  const tunnel = await tunnelOf(
    ask({ delivery: { ...DEFAULT_DELIVERY, timeouts: { ...TIMEOUTS, idleMs: 80 } } }),
  )
  tunnel.open(client)
  await until('it has ended', () => client.ends.length === 1)
  assert.deepEqual(client.ends, ['upstream-timeout'])
})

test('a backend that does not switch has answered', async (t) => {
  const { sent, server, text } = await rig(t, {
    request: (_, socket) => void socket.write(answerOf('no', 'Upgrade: websocket\r\n')),
  })
  const head = headOf(await sent.outcome)
  assert.deepEqual([head.status, head.tunnel], [200, undefined])
  assert.equal((await readAll(head)).text, 'no')
  assert.equal(await text(), 'no')
  assert.equal(server.sockets.length, 1)
})

test('a switch to what nobody has offered is not one', async (t) => {
  const heads = [
    'HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n',
    'HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n',
    'HTTP/1.1 101 S\r\nConnection: upgrade\r\n\r\n',
    'HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket, h2c\r\n\r\n',
  ]
  for (const head of heads) {
    const { sent, server } = await rig(t, { request: (_, socket) => void socket.write(head) })
    assert.equal(failureOf(await sent.outcome).cause, 'upstream-invalid', head)
    await until('the connection is given up', () => server.sockets[0]?.destroyed)
  }
  const { ask } = await rig(t, { request: (_, socket) => void socket.write(SWITCH) })
  const posted = ask({ method: 'POST', body: Buffer.from('x') })
  assert.equal(failureOf(await posted.outcome).cause, 'upstream-invalid')
})
