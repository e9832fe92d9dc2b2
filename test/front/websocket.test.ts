/**
 * Proves WebSockets with a real client and a real server, through all phases of a data plane.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { WebSocket } from 'undici'
import { portOf, until } from '../../dataplane/upstream/fake/recorder.ts'
import { Gateway } from './gateway.ts'

/** Answers each text with itself, and a close with a close. Frames of up to 64 KiB. */
async function echoServer(t: TestContext): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((_, answer) => void answer.writeHead(426).end('upgrade'))
  server.on('upgrade', (request, socket: Socket) => {
    sockets.add(socket)
    const key = request.headers['sec-websocket-key'] ?? ''
    const proof = createHash('sha1')
      .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64')
    const lines = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${proof}`]
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`)
    let bytes = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      for (let one = take(bytes); one !== null; one = take(bytes)) {
        bytes = bytes.subarray(one.bytes)
        socket.write(one.answer)
        if (one.opcode === 8) socket.end()
      }
    })
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return portOf(server)
}

interface Frame {
  readonly bytes: number
  readonly opcode: number
  readonly answer: Buffer
}

/** One masked frame of a client, and the same unmasked (RFC 6455 section 5.2). */
function take(bytes: Buffer): Frame | null {
  if (bytes.length < 8) return bytes.length < 6 ? null : frameOf(bytes, 2, bytes.readUInt8(1) & 127)
  const short = bytes.readUInt8(1) & 127
  return short === 126 ? frameOf(bytes, 4, bytes.readUInt16BE(2)) : frameOf(bytes, 2, short)
}

/** `at`: where its mask begins. */
function frameOf(bytes: Buffer, at: number, length: number): Frame | null {
  const end = at + 4 + length
  if (bytes.length < end) return null
  const mask = bytes.subarray(at, at + 4)
  const text = bytes.subarray(at + 4, end).map((byte, i) => byte ^ mask.readUInt8(i % 4))
  const head = Buffer.from(bytes.subarray(0, at))
  head.writeUInt8(head.readUInt8(1) & 127, 1)
  return { bytes: end, opcode: head.readUInt8(0) & 15, answer: Buffer.concat([head, text]) }
}

test('a WebSocket talks through a gateway, and is one record', async (t) => {
  const gateway = new Gateway()
  await gateway.start(await echoServer(t))
  t.after(() => gateway.stop())
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/chat`)
  const got: unknown[] = []
  const events: string[] = []
  socket.addEventListener('message', ({ data }) => got.push(data))
  socket.addEventListener('close', ({ code }) => events.push(`close ${code}`))
  socket.addEventListener('error', () => events.push('error'))
  await until('it is open', () => socket.readyState === WebSocket.OPEN)
  const long = 'é'.repeat(30_000)
  socket.send('hello')
  socket.send(long)
  await until('both have come back', () => got.length === 2)
  assert.deepEqual(got, ['hello', long])
  assert.equal(gateway.records.length, 0)
  socket.close(1000, 'done')
  await until('it is closed', () => events.length > 0)
  assert.deepEqual(events, ['close 1000'])
  await until('it is recorded', () => gateway.records.length === 1)
  const [record] = gateway.records
  assert.ok(record !== undefined)
  const { status, path, by, cause, complete, bytesIn, bytesOut } = record
  assert.deepEqual([status, path, by, cause, complete], [101, '/chat', 'upstream', null, true])
  assert.ok(bytesIn > 60_000 && bytesOut > 60_000, `${bytesIn} and ${bytesOut}`)
  assert.deepEqual(gateway.bugs, [])
})
