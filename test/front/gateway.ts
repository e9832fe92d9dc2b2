/**
 * A front with all phases and a real upstream, before a backend that reads as strictly as the plain
 * twin of the parser, and a client that knows what is to come back. For tests of what clients send.
 */
import assert from 'node:assert/strict'
import { connect, createServer, type Socket } from 'node:net'
import { monotonicMs, wallClockMs } from '../../dataplane/clock.ts'
import { BACKEND, PROXY } from '../../dataplane/fake/plane.ts'
import { Front } from '../../dataplane/front/front.ts'
import { BOUNDS } from '../../dataplane/front/http1.ts'
import type { Head, MessageReader } from '../../dataplane/http1/message.ts'
import { Parser } from '../../dataplane/http1/parse.ts'
import { type PlainMessage, plainRequest } from '../../dataplane/http1/fake/plain.ts'
import { idSource } from '../../dataplane/request/id.ts'
import type { ExchangeRecord } from '../../dataplane/request/record.ts'
import { serve } from '../../dataplane/request/serve.ts'
import { createBeside } from '../../dataplane/runtime/beside.ts'
import { emptyTable, swapTable, TableBuilder } from '../../dataplane/runtime/build.ts'
import type { Runtime } from '../../dataplane/runtime/runtime.ts'
import { Deadlines } from '../../dataplane/upstream/deadlines.ts'
import { callOptions, placed } from '../../dataplane/upstream/fake/options.ts'
import { portOf, until } from '../../dataplane/upstream/fake/recorder.ts'
import { UndiciUpstream } from '../../dataplane/upstream/undici.ts'
import {
  buildEnvironment,
  GATEWAY,
  hostObject,
  pathMatch,
  tableChange,
  tableObject,
  tableRule,
} from '../fake/table.ts'

export interface Sent {
  /** What the plain twin finds in it, up to what it refuses. */
  readonly messages: readonly PlainMessage[]
  readonly ends: 'well' | 'in the middle' | 'refused'
}

/** Requests one after the other, as the plain twin reads them. */
export function plainly(text: string): Sent {
  const messages: PlainMessage[] = []
  let used = 0
  while (used < text.length) {
    const plain = plainRequest(text.slice(used))
    if (plain.kind === 'failed') return { messages, ends: 'refused' }
    if (plain.kind === 'partial') return { messages, ends: 'in the middle' }
    messages.push(plain.message)
    used += plain.bytes
  }
  return { messages, ends: 'well' }
}

/** Reads every byte that it gets, and answers each request with what it has read of it. */
class Backend {
  readonly requests: PlainMessage[] = []
  readonly errors: string[] = []
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer((socket) => {
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => this.#sockets.delete(socket))
    let text = ''
    socket.on('data', (bytes) => {
      text = this.#read(text + bytes.toString('latin1'), socket)
    })
  })

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return portOf(this.#server)
  }

  #read(text: string, socket: Socket): string {
    const plain = plainRequest(text)
    if (plain.kind === 'partial') return text
    if (plain.kind === 'failed') {
      this.errors.push(`${plain.failure} in ${JSON.stringify(text.slice(0, 300))}`)
      socket.destroy()
      return ''
    }
    this.requests.push(plain.message)
    const [method, target] = plain.message.first
    const body = `${method} ${target} ${plain.message.body.length}`
    const head = `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`
    socket.write(method === 'HEAD' ? head : head + body)
    const rest = text.slice(plain.bytes)
    // Nobody sends a second request before the first is answered: what follows came with it.
    if (rest !== '') this.errors.push(`surplus ${JSON.stringify(rest.slice(0, 300))}`)
    return ''
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }
}

const TABLE = [
  GATEWAY,
  tableObject('backend', BACKEND, { protocol: 'http', clusterAddress: null }),
  hostObject('*', ['all']),
  tableObject(
    'rule',
    'all',
    tableRule({ name: 'all', matches: [pathMatch('/**')], action: PROXY }),
  ),
]

export interface Answered {
  readonly statuses: readonly number[]
  readonly bodies: readonly string[]
}

export class Gateway {
  readonly records: ExchangeRecord[] = []
  readonly bugs: unknown[] = []
  readonly backend = new Backend()
  readonly #deadlines = new Deadlines(monotonicMs)
  readonly #upstream: UndiciUpstream
  readonly #front: Front
  #port = 0

  constructor() {
    const deadlines = this.#deadlines
    this.#upstream = new UndiciUpstream(callOptions(deadlines))
    const runtime: Runtime = {
      table: emptyTable(),
      upstream: this.#upstream,
      beside: createBeside(),
      httpsPort: null,
      limiter: {
        take: () => ({ kind: 'admitted', standings: [], held: [], observed: [] }),
        release: () => undefined,
      },
      sinks: [{ record: (record) => void this.records.push(record) }],
      bug: (error) => void this.bugs.push(error),
    }
    const builder = new TableBuilder(buildEnvironment())
    assert.deepEqual(swapTable(runtime, builder, tableChange('snapshot', TABLE)), [])
    const owner = {
      now: monotonicMs,
      wallClock: wallClockMs,
      newId: idSource(new Uint8Array([1, 2, 3, 4, 5]), wallClockMs),
      deadlines,
      trustedProxies: () => null,
      tls: () => null,
      refused: () => undefined,
      serve: (exchange: Parameters<typeof serve>[0]) => void serve(exchange, runtime),
      bug: (error: unknown) => void this.bugs.push(error),
    }
    this.#front = new Front(owner, { ...BOUNDS, headMs: 5_000, headCheckEveryMs: 50 })
  }

  get port(): number {
    return this.#port
  }

  /** `backendPort`: where another backend listens. */
  async start(backendPort?: number): Promise<void> {
    const port = backendPort ?? (await this.backend.listen())
    const endpoint = { address: '127.0.0.1', port, zone: null }
    this.#upstream.endpoints(placed({ backend: BACKEND, version: 1, endpoints: [endpoint] }))
    const options = { host: '127.0.0.1', port: 0, reusePort: false }
    this.#port = (await this.#front.listen(options)).port
  }

  async stop(): Promise<void> {
    this.#front.destroy()
    this.#deadlines.stop()
    await this.#upstream.destroy()
    this.backend.close()
  }

  /** Sends these bytes in these pieces, and waits for all that can come back. */
  async send(text: string, cuts: readonly number[]): Promise<Answered> {
    const sent = plainly(text)
    const socket = connect({ host: '127.0.0.1', port: this.#port })
    const answers = new Answers(sent.messages)
    let state: 'open' | 'over' = 'open'
    socket.on('data', (bytes: Buffer) => answers.read(bytes))
    socket.on('error', () => undefined)
    socket.on('end', () => (state = 'over'))
    socket.on('close', () => (state = 'over'))
    socket.setNoDelay(true)
    let start = 0
    for (const end of [...cuts, text.length]) {
      if (end > start) socket.write(text.slice(start, end), 'latin1')
      await new Promise<void>((resolve) => setImmediate(resolve))
      start = end
    }
    const all = sent.ends === 'refused' ? Number.POSITIVE_INFINITY : sent.messages.length
    await until('it is answered or closed', () => state === 'over' || answers.bodies.length >= all)
    answers.close()
    socket.destroy()
    return answers
  }
}

/** What came back, read strictly too. */
class Answers implements MessageReader {
  readonly statuses: number[] = []
  readonly bodies: string[] = []
  readonly #asked: readonly PlainMessage[]
  readonly #parser = new Parser('response', this)
  #body = ''

  constructor(asked: readonly PlainMessage[]) {
    this.#asked = asked
    this.#next()
  }

  #next(): void {
    this.#parser.nextAnswer(this.#asked[this.statuses.length]?.first[0] ?? 'GET', 'none')
  }

  read(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length) {
      at = this.#parser.read(bytes, at)
      assert.equal(this.#parser.failure, null)
      if (this.#parser.state === 'ended') this.#next()
    }
  }

  close(): void {
    assert.notEqual(this.#parser.close(), 'complete')
  }

  head({ status }: Head): void {
    this.statuses.push(status)
    this.#body = ''
  }
  interim(): void {}
  data(piece: Buffer): 'more' {
    this.#body += piece.toString('latin1')
    return 'more'
  }
  end(): void {
    this.bodies.push(this.#body)
  }
}
