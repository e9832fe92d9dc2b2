/**
 * The way back to the client on node:http: `respond` fills it, `finish` ends it. Knows what the
 * connection must do after it, so that the next request can never start inside an unread body.
 * Pinned by node-body.test.ts: "an unread body is drained within a bound, or ends the connection".
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Answer } from '../request/exchange.ts'
import { isSameName, withoutHeader } from '../request/headers.ts'
import { Pages } from '../request/pages.ts'
import type { Connection } from './connection.ts'
import type { NodeBody } from './node-body.ts'

/** What may be left of a body that nobody wanted, for the connection to be worth keeping. */
const DRAINED_BYTES_MAX = 64 * 1024

/**
 * A last chunk up to this goes out as text, because node:http joins only text to the head: one
 * plain write costs a third of a gathered one (35 µs less of CPU for each small answer).
 */
const JOINED_BYTES_MAX = 8 * 1024

export class NodeAnswer implements Answer {
  readonly #incoming: IncomingMessage
  readonly #outgoing: ServerResponse
  readonly #connection: Connection
  /** Null: the request has none. */
  readonly #body: NodeBody | null
  #after: 'keep' | 'close' = 'keep'
  #state: 'fresh' | 'started' | 'ended' | 'gone' = 'fresh'
  /** Of what came while others were waiting. */
  readonly #pages = new Pages()
  #flush: NodeJS.Immediate | null = null
  #drain: (() => void) | null = null
  #abort: (() => void) | null = null

  constructor(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    connection: Connection,
    body: NodeBody | null,
  ) {
    this.#incoming = incoming
    this.#outgoing = outgoing
    this.#connection = connection
    this.#body = body
    outgoing.on('close', () => this.#closed())
  }

  get started(): boolean {
    return this.#state !== 'fresh'
  }

  /** Nothing that follows on this connection is to be served. */
  closeAfter(): void {
    this.#after = 'close'
  }

  head(status: number, headers: readonly string[]): void {
    if (this.#state === 'gone') return
    this.#state = 'started'
    this.#outgoing.writeHead(status, this.#framed(status, headers))
    process.nextTick(flushHead, this.#outgoing)
  }

  /** Interim answers are for clients that know them (RFC 9110 section 15.2). */
  interim(status: number, headers: readonly string[]): void {
    if (this.#state !== 'fresh' || this.#incoming.httpVersionMinor === 0) return
    this.#outgoing.writeInformation(status, [...headers])
  }

  #framed(status: number, headers: readonly string[]): string[] {
    // node:http throws over a Trailer that no chunked message carries.
    const isLost = has(headers, 'trailer') && !this.#isChunked(status, headers)
    const framed = [...(isLost ? withoutHeader(headers, 'trailer') : headers)]
    if (this.#mustClose() === 'no') return framed
    this.#connection.closing()
    framed.push('connection', 'close')
    return framed
  }

  #isChunked(status: number, headers: readonly string[]): boolean {
    const { method, httpVersionMinor } = this.#incoming
    if (method === 'HEAD' || status === 204 || status === 304) return false
    return httpVersionMinor !== 0 && !has(headers, 'content-length')
  }

  #mustClose(): 'no' | 'yes' {
    if (this.#after === 'close' || this.#connection.isLast === 'yes') return 'yes'
    const body = this.#body
    if (body === null || body.rest === 'none') return 'no'
    if (body.withheld === 'yes' || body.bytesDeclared === null) return 'yes'
    return body.bytesDeclared > DRAINED_BYTES_MAX ? 'yes' : 'no'
  }

  data(chunk: Buffer): 'more' | 'pause' {
    if (this.#state !== 'started') return 'more'
    if (this.#pages.bytes === 0 && this.#outgoing.writableLength === 0) return this.#write(chunk)
    // Others wait for the client: small pieces are kept together, but for no longer than a turn.
    let pace: 'more' | 'pause' = 'more'
    for (const page of this.#pages.add(chunk)) pace = this.#write(page)
    if (this.#pages.bytes > 0) this.#flush ??= setImmediate(() => this.#writeRest())
    return pace
  }

  #writeRest(): void {
    if (this.#flush === null) return
    clearImmediate(this.#flush)
    this.#flush = null
    const rest = this.#pages.take()
    if (rest !== null && this.#state !== 'gone') this.#outgoing.write(rest)
  }

  #write(chunk: Buffer): 'more' | 'pause' {
    if (this.#outgoing.write(chunk)) return 'more'
    this.#connection.hold()
    this.#outgoing.once('drain', () => {
      this.#connection.flow()
      this.#drain?.()
    })
    return 'pause'
  }

  end(chunk: Buffer | null, trailers: readonly string[] | null): void {
    if (this.#state === 'gone' || this.#state === 'ended') return
    this.#writeRest()
    this.#state = 'ended'
    this.#abort = null
    if (trailers !== null && this.#outgoing.chunkedEncoding) {
      this.#outgoing.addTrailers(pairs(trailers))
    }
    if (chunk === null) this.#outgoing.end()
    else if (chunk.length > JOINED_BYTES_MAX) this.#outgoing.end(chunk)
    else this.#outgoing.end(chunk.toString('latin1'), 'latin1')
    if (this.#connection.socket.writableLength > 0) this.#connection.hold()
  }

  destroy(): void {
    this.#abort = null
    this.#connection.destroy()
  }

  onDrain(listener: () => void): void {
    this.#drain = listener
  }

  onAbort(listener: () => void): void {
    this.#abort = listener
    if (this.#state === 'gone') this.#aborted()
  }

  #closed(): void {
    const ended = this.#state === 'ended'
    this.#state = 'gone'
    this.#connection.flow()
    this.#connection.exchangeEnded()
    if (!ended) this.#aborted()
  }

  #aborted(): void {
    const abort = this.#abort
    this.#abort = null
    if (abort !== null) this.#connection.guard(abort)
  }
}

/** A head goes out with the first bytes of its body, but waits for them no longer than a turn. */
function flushHead(outgoing: ServerResponse): void {
  if (!outgoing.writableEnded && outgoing.writableLength === 0 && !outgoing.destroyed) {
    outgoing.flushHeaders()
  }
}

function has(headers: readonly string[], lower: string): boolean {
  for (let i = 0; i < headers.length; i += 2) if (isSameName(headers[i] ?? '', lower)) return true
  return false
}

function pairs(flat: readonly string[]): [string, string][] {
  const list: [string, string][] = []
  for (let i = 0; i + 1 < flat.length; i += 2) list.push([flat[i] ?? '', flat[i + 1] ?? ''])
  return list
}
