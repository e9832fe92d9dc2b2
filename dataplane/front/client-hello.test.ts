/**
 * Proves the reading of a TLS client's first message, with real clients' messages and with bytes
 * that are none.
 */
import assert from 'node:assert/strict'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import { connect } from 'node:tls'
import fc from 'fast-check'
import { readClientHello } from './client-hello.ts'

async function helloOf(servername: string | undefined): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>()
  const socket = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _, done) => {
      resolve(chunk)
      done()
    },
  })
  const client = connect({ socket, ...(servername === undefined ? {} : { servername }) })
  client.on('error', () => undefined)
  const bytes = await promise
  client.destroy()
  return bytes
}

/** The same message in records of `size` bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const payload = hello.subarray(5)
  const records: Buffer[] = []
  for (let at = 0; at < payload.length; at += size) {
    const part = payload.subarray(at, at + size)
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part)
  }
  return Buffer.concat(records)
}

test("a real client's name is read, however its message is cut", async () => {
  for (const [servername, expected] of [
    ['shop.example.com', 'shop.example.com'],
    ['Shop.Example.COM', 'shop.example.com'],
    [undefined, null],
  ] as const) {
    const hello = await helloOf(servername)
    for (const bytes of [hello, inRecords(hello, 100), inRecords(hello, 1)]) {
      assert.deepEqual(readClientHello(bytes), { kind: 'hello', serverName: expected })
      for (let cut = 0; cut < bytes.length; cut += 7) {
        assert.equal(readClientHello(bytes.subarray(0, cut)), 'wait')
      }
    }
  }
})

test('bytes that are no TLS are told from those that are not yet enough', () => {
  for (const text of ['GET / HTTP/1.1', '\x15\x03\x01\x00\x02\x02\x28', '\x16\x03\x01\x00\x00']) {
    assert.deepEqual(readClientHello(Buffer.from(text, 'latin1')), { kind: 'notTls' })
  }
  assert.equal(readClientHello(Buffer.from([22, 3])), 'wait')
})

test('no bytes make it throw, and none make it wait for more than its bound', async () => {
  const hello = await helloOf('shop.example.com')
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(hello.length - 1), fc.nat(255)), { maxLength: 8 }),
      (edits) => {
        const bytes = Buffer.from(hello)
        for (const [at, value] of edits) bytes[at] = value
        const read = readClientHello(bytes)
        if (read === 'wait') return
        assert.ok(
          read.kind === 'notTls' || typeof read.serverName === 'string' || read.serverName === null,
        )
      },
    ),
    { numRuns: 2_000 },
  )
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 600 }),
      (bytes) => void readClientHello(Buffer.from(bytes)),
    ),
  )
})
