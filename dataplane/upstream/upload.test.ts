/**
 * Proves how a request's body goes out, over a real connection.
 */
import assert from 'node:assert/strict'
import { connect, createServer, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import * as fc from 'fast-check'
import { HandBody } from './fake/outgoing.ts'
import { portOf, until } from './fake/recorder.ts'
import { Upload } from './upload.ts'

interface Rig {
  readonly socket: Socket
  readonly far: Socket
  /** Latin1 text of what has arrived. */
  readonly arrived: () => string
  readonly clear: () => void
}

async function rig(t: TestContext): Promise<Rig> {
  let text = ''
  const { promise, resolve } = Promise.withResolvers<Socket>()
  const server = createServer((far) => {
    far.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
    })
    resolve(far)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const socket = connect(portOf(server), '127.0.0.1')
  const far = await promise
  t.after(() => {
    socket.destroy()
    far.destroy()
    server.close()
  })
  return { socket, far, arrived: () => text, clear: () => void (text = '') }
}

interface Ends {
  readonly ends: string[]
  uploaded(): void
  uploadBroken(why: string): void
}

function owner(): Ends {
  const ends: string[] = []
  return {
    ends,
    uploaded: () => void ends.push('uploaded'),
    uploadBroken: (why) => void ends.push(why),
  }
}

/** Of a well-formed chunked text. */
function unchunked(text: string): string {
  let body = ''
  let at = 0
  for (;;) {
    const line = text.indexOf('\r\n', at)
    const size = Number.parseInt(text.slice(at, line), 16)
    if (size === 0) return body
    body += text.slice(line + 2, line + 2 + size)
    at = line + 2 + size + 2
  }
}

test('whatever comes in which pieces, one body goes out', async (t) => {
  const { socket, arrived, clear } = await rig(t)
  const pieces = fc.array(fc.tuple(fc.constantFrom(0, 1, 2, 900, 5_000), fc.boolean()), {
    maxLength: 30,
  })
  await fc.assert(
    fc.asyncProperty(pieces, fc.constantFrom('declared', 'chunked'), async (list, framing) => {
      clear()
      const total = list.reduce((sum, [size]) => sum + size, 0)
      const body = new HandBody(framing === 'declared' ? total : null)
      const told = owner()
      new Upload(body, socket, told).start()
      let sent = ''
      for (const [i, [size, rest]] of list.entries()) {
        const piece = Buffer.alloc(size, 97 + (i % 26))
        sent += piece.toString('latin1')
        body.sink?.data(piece)
        if (rest) await new Promise((resolve) => setImmediate(resolve))
      }
      body.sink?.end()
      assert.deepEqual(told.ends, ['uploaded'])
      await until('all has arrived', () =>
        framing === 'declared' ? arrived().length >= total : arrived().endsWith('0\r\n\r\n'),
      )
      assert.equal(framing === 'declared' ? arrived() : unchunked(arrived()), sent)
    }),
    { numRuns: 60 },
  )
})

test('trailers follow the last chunk, but for those that would frame or route', async (t) => {
  const { socket, arrived } = await rig(t)
  const body = new HandBody(null)
  const upload = new Upload(body, socket, owner())
  upload.start()
  upload.data(Buffer.from('hello'))
  upload.end(['X-Sum', '42', 'Content-Length', '1', 'Host', 'a', 'Authorization', 'x'])
  await until('it is there', () => arrived().endsWith('\r\n\r\n'))
  assert.equal(arrived(), '5\r\nhello\r\n0\r\nX-Sum: 42\r\n\r\n')
})

test('a body is never longer or shorter than was declared', async (t) => {
  const { socket } = await rig(t)
  const short = owner()
  const first = new Upload(new HandBody(3), socket, short)
  first.start()
  first.data(Buffer.from('ab'))
  first.end()
  const long = owner()
  const second = new Upload(new HandBody(3), socket, long)
  second.start()
  second.data(Buffer.from('abcd'))
  second.end()
  assert.deepEqual([short.ends, long.ends], [['length'], ['length']])
})

test('a backend that does not read pauses the client, and one that is done lets it go', async (t) => {
  const { socket, far } = await rig(t)
  far.pause()
  const body = new HandBody(null)
  const upload = new Upload(body, socket, owner())
  socket.on('drain', () => upload.drained())
  upload.start()
  let given = 0
  while (given < 64 * 1024 * 1024 && upload.data(Buffer.alloc(16 * 1024)) === 'more') {
    given += 16 * 1024
    if (given % (256 * 1024) === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(given < 32 * 1024 * 1024, `${given} bytes were taken`)
  assert.ok(socket.writableLength < 256 * 1024)
  assert.equal(body.resumes, 0)
  far.resume()
  await until('it may go on', () => body.resumes === 1)
  far.pause()
  while (upload.data(Buffer.alloc(16 * 1024)) === 'more');
  upload.stop()
  assert.equal(body.resumes, 2)
  assert.equal(upload.data(Buffer.alloc(1024)), 'more')
})

test('what is sent byte by byte to somebody slow is kept in few pieces', async (t) => {
  const { socket, far, arrived } = await rig(t)
  far.pause()
  const body = new HandBody(null)
  const upload = new Upload(body, socket, owner())
  socket.on('drain', () => upload.drained())
  upload.start()
  while (upload.data(Buffer.alloc(16 * 1024, 'x')) === 'more');
  let pieces = 0
  const write = socket.write.bind(socket)
  t.mock.method(socket, 'write', (chunk: Buffer) => {
    pieces++
    return write(chunk)
  })
  for (let i = 0; i < 10_000; i++) upload.data(Buffer.of(121))
  upload.end()
  assert.ok(pieces < 20, `${pieces} pieces`)
  far.resume()
  await until('all has arrived', () => arrived().endsWith('0\r\n\r\n'))
  assert.equal(unchunked(arrived()).replace(/^x*/, ''), 'y'.repeat(10_000))
})
