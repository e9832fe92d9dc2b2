/**
 * Streams that are cut after any number of bytes: what runs is always a whole table, and the next
 * stream completes it.
 */
import assert from 'node:assert/strict'
import { connect, createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { xorOf } from '#wire/digest'
import { GATEWAY, SAMPLES, tableObject } from './samples.ts'
import { compiled, reads, until, wireTest } from './world.ts'

/** Lets so many bytes of the controller through on each connection, then breaks it. */
class Cutter {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  bytes = Number.POSITIVE_INFINITY
  cuts = 0

  constructor(port: number) {
    this.#server = createServer((client) => this.#join(client, connect(port, '127.0.0.1')))
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  #join(client: Socket, controller: Socket): void {
    let left = this.bytes
    for (const [from, to] of [
      [client, controller],
      [controller, client],
    ] as const) {
      this.#sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => to.destroy())
    }
    client.on('data', (chunk) => controller.write(chunk))
    controller.on('data', (chunk: Buffer) => {
      client.write(chunk.subarray(0, left))
      left -= chunk.length
      if (left > 0) return
      this.cuts += 1
      client.end()
      controller.destroy()
    })
  }

  /** The network loses everything from now on, and tells nobody. */
  freeze(): void {
    for (const socket of this.#sockets) socket.pause()
  }

  /** Breaks what stands. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
  }

  close(): void {
    this.cut()
    this.#server.close()
  }
}

function consumers(text: string) {
  return Array.from({ length: 20 }, (_, i) =>
    tableObject('consumer', `a/c-${i}`, {
      namespace: 'a',
      name: `c-${i}`,
      displayName: text.repeat(50),
      labels: {},
      state: 'Active',
      groups: [],
      externalIds: {},
      identities: [],
    }),
  )
}

wireTest(
  'a stream that is torn anywhere leaves a whole table, and the next one completes it',
  async (world) => {
    const push = await world.push()
    push.endpoints(reads({ 'shop/books:80': ['10.0.0.1'] }))
    let version = 0
    const offer = (text: string): string => {
      version += 1
      const table = compiled([...SAMPLES, ...consumers(text)])
      push.offer({ tables: new Map([[GATEWAY, table]]), basis: { ApiRoute: String(version) } })
      return table.hash
    }
    const cutter = new Cutter(push.port)
    const port = await cutter.listen()
    const hashes = new Set([offer('a')])
    const controllers = [`https://127.0.0.1:${port}`]
    const { sync, workers } = await world.sync([], { controllers, timings: { retryMsMax: 5 } })
    await sync.ready
    for (let bytes = 200; bytes < 40_000; bytes += 1_777) {
      const { cuts } = cutter
      cutter.bytes = bytes
      cutter.cut()
      hashes.add(offer(String.fromCharCode(97 + (version % 26))))
      await until('it is torn twice, or came through', () => {
        const digests = [...workers.objects.values()].map(({ digest }) => digest)
        assert.ok(hashes.has(xorOf(digests)), `half a table after ${bytes} bytes`)
        return cutter.cuts > cuts + 1 || sync.state().hash === [...hashes].at(-1)
      })
    }
    cutter.bytes = Number.POSITIVE_INFINITY
    cutter.cut()
    const last = offer('z'.repeat(3))
    await until('the last table', () => sync.state().hash === last)
    assert.equal(sync.state().readiness, 'ready')
    cutter.close()
  },
)

wireTest('a data plane that the network lost is no member any more', async (world) => {
  const push = await world.push({ timings: { pingEveryMs: 10, silenceMs: 200 } })
  push.offer({ tables: new Map([[GATEWAY, compiled(SAMPLES)]]), basis: { ApiRoute: '1' } })
  const cutter = new Cutter(push.port)
  const controllers = [`https://127.0.0.1:${await cutter.listen()}`]
  const { sync } = await world.sync([], { controllers })
  await sync.ready
  await until('a member', () => push.members(GATEWAY).length === 1)
  cutter.freeze()
  await until('no member', () => push.members(GATEWAY).length === 0)
  assert.equal(sync.state().readiness, 'ready')
  cutter.close()
})
