/**
 * The way back where node:http has no response object: for what could not be parsed as a request,
 * and for CONNECT. Always the last message of its connection.
 * Pinned by http1.test.ts: "what is refused is answered, recorded once, and closed".
 */
import { STATUS_CODES } from 'node:http'
import type { Answer } from '../request/exchange.ts'
import type { Connection } from './connection.ts'

export class RawAnswer implements Answer {
  readonly #connection: Connection
  #state: 'fresh' | 'started' | 'ended' = 'fresh'
  #abort: (() => void) | null = null

  constructor(connection: Connection) {
    this.#connection = connection
    connection.socket.once('close', () => {
      connection.exchangeEnded()
      if (this.#state === 'ended') return
      this.#state = 'ended'
      if (this.#abort !== null) connection.guard(this.#abort)
    })
  }

  get started(): boolean {
    return this.#state !== 'fresh'
  }

  head(status: number, headers: readonly string[]): void {
    this.#state = 'started'
    let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`
    for (let i = 0; i + 1 < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`
    text += `date: ${new Date().toUTCString()}\r\nconnection: close\r\n\r\n`
    this.#connection.socket.write(text, 'latin1')
  }

  data(chunk: Buffer): 'more' | 'pause' {
    this.#connection.socket.write(chunk)
    return 'more'
  }

  end(chunk: Buffer | null, _trailers: readonly string[] | null): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#abort = null
    if (chunk !== null) this.#connection.socket.write(chunk)
    this.#connection.end()
  }

  interim(): void {
    // Nobody who speaks like this is waiting for hints.
  }

  destroy(): void {
    this.#abort = null
    this.#connection.destroy()
  }

  onDrain(_listener: () => void): void {
    // Problem documents are small: everything was taken at once.
  }

  onAbort(listener: () => void): void {
    if (this.#state === 'ended') listener()
    else this.#abort = listener
  }
}
