/**
 * An exchange without sockets: what a test holds instead of a client's connection. It keeps what was
 * sent, says when it is full, and can leave in the middle.
 */
import type { TunnelSide } from '../../dataplane/request/tunnel.ts'
import {
  type Answer,
  type BodySink,
  type Exchange,
  type Received,
  type RequestBody,
  newExchange,
} from '../../dataplane/request/exchange.ts'

export class FakeAnswer implements Answer {
  status: number | null = null
  headers: readonly string[] = []
  readonly chunks: Buffer[] = []
  trailers: readonly string[] | null = null
  /** `whole`: end was called; `broken`: destroy was called or the client left. */
  state: 'open' | 'whole' | 'broken' = 'open'
  /** Chunks that it takes before it says pause; then until `drain`. */
  room = Number.POSITIVE_INFINITY
  /** Every call in order, for tests that look at when things happen. */
  readonly calls: string[] = []
  #drain: (() => void) | null = null
  #abort: (() => void) | null = null

  get started(): boolean {
    return this.status !== null
  }

  get body(): string {
    return Buffer.concat(this.chunks).toString('utf8')
  }

  header(name: string): string | null {
    const at = this.headers.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === name)
    return at === -1 ? null : (this.headers[at + 1] ?? null)
  }

  head(status: number, headers: readonly string[]): void {
    if (this.started) throw new Error('a second head')
    this.calls.push('head')
    this.status = status
    this.headers = headers
  }

  /** Where the client's bytes go. */
  backend: TunnelSide | null = null
  /** Null: the client has not waited. */
  tunnel: TunnelSide | null = null

  openTunnel(headers: readonly string[], backend: TunnelSide): TunnelSide | null {
    if (this.tunnel === null) return null
    this.head(101, headers)
    this.backend = backend
    return this.tunnel
  }

  data(chunk: Buffer): 'more' | 'pause' {
    this.#mustBeOpen('data')
    this.chunks.push(chunk)
    this.room--
    return this.room > 0 ? 'more' : 'pause'
  }

  end(chunk: Buffer | null, trailers: readonly string[] | null): void {
    this.#mustBeOpen('end')
    if (chunk !== null) this.chunks.push(chunk)
    this.trailers = trailers
    this.state = 'whole'
  }

  destroy(): void {
    this.calls.push('destroy')
    if (this.state === 'open') this.state = 'broken'
  }

  onDrain(listener: () => void): void {
    this.#drain = listener
  }

  onAbort(listener: () => void): void {
    this.#abort = listener
    if (this.state === 'broken') listener()
  }

  // ---- the client's side ----------------------------------------------------------------------

  drain(room = Number.POSITIVE_INFINITY): void {
    this.room = room
    this.#drain?.()
  }

  leave(): void {
    if (this.state !== 'open') return
    this.state = 'broken'
    this.#abort?.()
  }

  #mustBeOpen(call: string): void {
    if (!this.started) throw new Error(`${call} before head`)
    if (this.state === 'whole') throw new Error(`${call} after end`)
    this.calls.push(call)
  }
}

export class FakeBody implements RequestBody {
  readonly empty: boolean
  readonly bytesDeclared: number | null
  readonly #chunks: readonly Buffer[]
  constructor(chunks: readonly Buffer[] = []) {
    this.#chunks = chunks
    this.empty = chunks.length === 0
    this.bytesDeclared = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  }
  start(sink: BodySink): void {
    for (const chunk of this.#chunks) sink.data(chunk)
    sink.end()
  }
  resume(): void {
    throw new Error('nothing was paused')
  }
}

export interface FakeExchange {
  readonly exchange: Exchange
  readonly answer: FakeAnswer
}

export function fakeExchange(received: Partial<Received> = {}): FakeExchange {
  const answer = new FakeAnswer()
  const exchange = newExchange({
    id: '01JZZZZZZZ0000000000000000',
    startedAtMs: 1_760_000_000_000,
    startedMs: 1_000,
    protocol: '1.1',
    method: 'GET',
    scheme: 'http',
    host: 'shop.example.com',
    path: '/',
    query: null,
    headers: ['Host', 'shop.example.com'],
    ip: '192.0.2.7',
    peer: '192.0.2.7',
    peerTrust: 'untrusted',
    upgrade: null,
    body: new FakeBody(),
    answer,
    refusal: null,
    ...received,
  })
  return { exchange, answer }
}

/** A flat list from lines as on the wire: `Name: value`. */
export function headerList(text: string): string[] {
  return text
    .trim()
    .split('\n')
    .flatMap((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
    })
}
