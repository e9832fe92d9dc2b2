/**
 * Proves that a look at the first bytes loses none of them, on real sockets.
 */
import assert from 'node:assert/strict'
import { connect, createServer, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { monotonicMs } from '../clock.ts'
import { Deadlines } from '../upstream/deadlines.ts'
import { portOf, until } from '../upstream/fake/recorder.ts'
import { type Look, lookAtFirst, lookForPreface } from './first-bytes.ts'

async function listening(
  t: TestContext,
  look: Look<string>,
  seen: (what: string, socket: Socket) => void,
): Promise<number> {
  const deadlines = new Deadlines(monotonicMs)
  const server = createServer((socket) => {
    const untilMs = monotonicMs() + 300
    lookAtFirst(socket, look, { deadlines, untilMs, bytesMax: 32 }, (what) => seen(what, socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    deadlines.stop()
    server.close()
  })
  return portOf(server)
}

test('whatever the pieces, the bytes are looked at and then still there', async (t) => {
  let got = ''
  let what = ''
  const look: Look<string> = (bytes) => (bytes.length < 8 ? 'wait' : bytes.toString('latin1', 0, 8))
  const port = await listening(t, look, (seen, socket) => {
    what = seen
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1')
    })
  })
  const text = 'firstly, what comes first'
  for (const cuts of [[], [1], [7], [8], [9], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]]) {
    got = ''
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    let from = 0
    for (const cut of [...cuts, text.length]) {
      await new Promise<void>((resolve) =>
        socket.write(text.slice(from, cut), () => setImmediate(resolve)),
      )
      from = cut
    }
    await until('all has come', () => got === text)
    assert.equal(what, text.slice(0, 8))
    socket.destroy()
  }
})

test('who says too little, too late or too much without a word is cut off', async (t) => {
  const port = await listening(t, () => 'wait', assert.fail)
  for (const said of ['', 'a', 'b'.repeat(32)]) {
    const socket = connect({ host: '127.0.0.1', port })
    let state: 'open' | 'closed' = 'open'
    socket.on('error', () => undefined)
    socket.on('close', () => {
      state = 'closed'
    })
    socket.write(said)
    await until('it is closed', () => state === 'closed')
  }
})

test('the preface is HTTP/2, its beginning waits, everything else is HTTP/1', () => {
  const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
  fc.assert(
    fc.property(fc.nat(30), fc.string({ maxLength: 10 }), (cut, more) => {
      const text = preface.slice(0, cut) + more
      const expected = text.startsWith(preface)
        ? 'h2'
        : preface.startsWith(text)
          ? 'wait'
          : 'http/1'
      assert.equal(lookForPreface(Buffer.from(text, 'latin1')), expected)
    }),
  )
})
