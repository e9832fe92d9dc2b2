/**
 * The way back to the client over HTTP/1: `respond` fills it, `finish` ends it. It frames the body,
 * joins head and small pieces into one write for each turn of the loop, and decides whether the
 * connection stays, so that the next request can never start inside an unread body.
 * Pinned by http1-answer.test.ts: "an answer is paced by its client, and its head does not wait for
 * its body".
 */
import type { Answer } from '../request/exchange.ts'
import type { TunnelSide } from '../request/tunnel.ts'
import { withoutHeader } from '../request/headers.ts'
import {
  CHUNKED_LINE,
  chunkLine,
  CLOSE_LINE,
  fieldLine,
  fieldLines,
  KEEP_ALIVE_LINE,
  lastChunk,
  LINE_END,
  statusLine,
  UPGRADE_LINE,
} from '../http1/write.ts'
import { ClientTunnel } from './client-tunnel.ts'
import type { Connection } from './connection.ts'
import type { Http1Body } from './http1-body.ts'

/** What may be left of a body that nobody wanted, for the connection to be worth keeping. */
const DRAINED_BYTES_MAX = 64 * 1024

/**
 * A piece up to this goes out as text, joined to what stands before it: one plain write is
 * cheaper than a gathered one.
 */
const JOINED_BYTES_MAX = 8 * 1024

/** What is asked of an answer before anything of it is known. */
export interface Asked {
  readonly method: string
  readonly version: '1.0' | '1.1'
  /** close: nothing that follows on this connection is to be served. */
  readonly persistence: 'keep' | 'close'
  /** Null: the request has none. */
  readonly body: Http1Body | null
}

export class Http1Answer implements Answer {
  readonly #connection: Connection
  readonly #asked: Asked
  #state: 'fresh' | 'started' | 'ended' | 'gone' = 'fresh'
  #framing: 'none' | 'length' | 'chunked' | 'close' = 'none'
  /** Of a declared length. */
  #left = 0
  #then: 'keep' | 'close' = 'keep'
  /** Latin1 text that waits for the end of the turn. */
  #text = ''
  #flush: 'none' | 'soon' = 'none'
  #drain: (() => void) | null = null
  #abort: (() => void) | null = null

  constructor(connection: Connection, asked: Asked) {
    this.#connection = connection
    this.#asked = asked
  }

  get started(): boolean {
    return this.#state !== 'fresh'
  }

  /** Nothing is left to be written. */
  get over(): 'no' | 'yes' {
    return this.#state === 'ended' ? 'yes' : 'no'
  }

  head(status: number, headers: readonly string[]): void {
    if (this.#state !== 'fresh') return
    this.#state = 'started'
    this.#text += statusLine(status) + this.#fields(status, headers)
    this.#flushSoon()
  }

  /** Interim answers are for clients that know them (RFC 9110 section 15.2). */
  interim(status: number, headers: readonly string[]): void {
    if (this.#state !== 'fresh' || this.#asked.version === '1.0') return
    this.#text += statusLine(status) + fieldLines(headers) + LINE_END
    this.#flushNow()
  }

  openTunnel(headers: readonly string[], backend: TunnelSide): TunnelSide | null {
    if (this.#state !== 'fresh' || this.#connection.hasMore() === 'yes') return null
    this.#state = 'started'
    this.#then = 'close'
    const tunnel = new ClientTunnel(this.#connection, backend)
    this.#connection.write(
      statusLine(101) + UPGRADE_LINE + fieldLines(headers) + LINE_END,
      null,
      '',
    )
    this.#connection.switched(tunnel)
    return tunnel
  }

  /** The lines of the head, its end included. */
  #fields(status: number, headers: readonly string[]): string {
    const given = read(headers)
    this.#left = given.length ?? 0
    this.#framing = this.#framingOf(status, given.length)
    this.#then = this.#framing === 'close' ? 'close' : this.#whatThen()
    if (this.#then === 'close') this.#connection.closing()
    // Only a chunked message has trailers (RFC 9110 section 6.5.1).
    const isLost = given.trailers === 'named' && this.#framing !== 'chunked'
    let text = isLost ? fieldLines(withoutHeader(headers, 'trailer')) : given.lines
    if (given.date === 'absent') text += this.#connection.dateLine()
    if (this.#framing === 'chunked') text += CHUNKED_LINE
    return text + this.#lastLines()
  }

  /** RFC 9112 section 6.3. */
  #framingOf(status: number, length: number | null): 'none' | 'length' | 'chunked' | 'close' {
    const { method, version } = this.#asked
    if (method === 'HEAD' || status === 204 || status === 304) return 'none'
    if (length !== null) return 'length'
    return version === '1.1' ? 'chunked' : 'close'
  }

  /** RFC 9112 section 9.3: a client of 1.0 that wants to keep the connection is told so. */
  #lastLines(): string {
    if (this.#then === 'close') return CLOSE_LINE + LINE_END
    return this.#asked.version === '1.0' ? KEEP_ALIVE_LINE + LINE_END : LINE_END
  }

  #whatThen(): 'keep' | 'close' {
    const { persistence, body } = this.#asked
    if (persistence === 'close' || this.#connection.isLast === 'yes') return 'close'
    if (body === null || body.rest === 'none') return 'keep'
    if (body.withheld === 'yes' || body.bytesDeclared === null) return 'close'
    return body.bytesDeclared > DRAINED_BYTES_MAX ? 'close' : 'keep'
  }

  data(chunk: Buffer): 'more' | 'pause' {
    if (this.#state !== 'started') return 'more'
    this.#put(chunk)
    if (this.#connection.backlog === 'full') return 'pause'
    return 'more'
  }

  #put(chunk: Buffer): void {
    if (this.#framing === 'none' || chunk.length === 0) return
    if (this.#framing === 'length') this.#spend(chunk.length)
    if (this.#framing === 'chunked') this.#text += chunkLine(chunk.length)
    if (chunk.length <= JOINED_BYTES_MAX) {
      this.#text += chunk.toString('latin1')
      if (this.#framing === 'chunked') this.#text += LINE_END
      if (this.#text.length > JOINED_BYTES_MAX) this.#flushNow()
      else this.#flushSoon()
      return
    }
    this.#connection.write(this.#text, chunk, this.#framing === 'chunked' ? LINE_END : '')
    this.#text = ''
  }

  /** More than was declared would be read as the next answer: a bug, and never sent. */
  #spend(bytes: number): void {
    this.#left -= bytes
    if (this.#left < 0) throw new Error('an answer is longer than it says')
  }

  end(chunk: Buffer | null, trailers: readonly string[] | null): void {
    if (this.#state !== 'started') return
    if (chunk !== null) this.#put(chunk)
    if (this.#framing === 'length' && this.#left > 0) return this.destroy()
    this.#state = 'ended'
    this.#abort = null
    if (this.#framing === 'chunked') this.#text += lastChunk(trailers)
    this.#flushNow()
    this.#connection.answered(this.#then)
  }

  // ---- when it is written --------------------------------------------------------------------

  /** A head goes out with the first bytes of its body, but waits for them no longer than a turn. */
  #flushSoon(): void {
    if (this.#flush === 'soon') return
    this.#flush = 'soon'
    if (this.#connection.backlog === 'none') process.nextTick(flush, this)
    else setImmediate(flush, this)
  }

  #flushNow(): void {
    if (this.#text === '') return
    const text = this.#text
    this.#text = ''
    this.#connection.write(text, null, '')
  }

  flushed(): void {
    this.#flush = 'none'
    if (this.#state !== 'gone') this.#flushNow()
  }

  destroy(): void {
    this.#abort = null
    this.#connection.destroy()
  }

  onDrain(listener: () => void): void {
    this.#drain = listener
  }

  onAbort(listener: () => void): void {
    if (this.#state === 'gone') listener()
    else this.#abort = listener
  }

  // ---- what the connection says --------------------------------------------------------------

  drained(): void {
    if (this.#state === 'started') this.#drain?.()
  }

  /** The client is gone. */
  gone(): void {
    const abort = this.#abort
    this.#state = 'gone'
    this.#abort = null
    abort?.()
  }
}

function flush(answer: Http1Answer): void {
  answer.flushed()
}

interface Given {
  lines: string
  length: number | null
  date: 'absent' | 'present'
  trailers: 'none' | 'named'
}

/** One pass: the lines as they will be sent, and what is to be known of them. */
function read(headers: readonly string[]): Given {
  const given: Given = { lines: '', length: null, date: 'absent', trailers: 'none' }
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? ''
    const value = headers[i + 1] ?? ''
    given.lines += fieldLine(name, value)
    if (NOTED[name.length] === 1) note(given, name, value)
  }
  return given
}

/** Lengths of the names that are noted. */
const NOTED = new Uint8Array(64)
for (const name of ['date', 'trailer', 'content-length']) NOTED[name.length] = 1

function note(given: Given, name: string, value: string): void {
  switch (name.toLowerCase()) {
    case 'date':
      given.date = 'present'
      return
    case 'trailer':
      given.trailers = 'named'
      return
    case 'content-length':
      given.length = Number(value)
  }
}
