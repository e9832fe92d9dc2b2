/**
 * The client's end of a tunnel over HTTP/1: its connection after 101, of which no byte is read as
 * HTTP any more. Each way ends on its own; a client that takes nothing is ended by the connection.
 * Pinned by http1-upgrade.test.ts: "bytes pass both ways, and each way ends on its own".
 */
import type { TunnelSide } from '../request/tunnel.ts'
import type { Connection } from './connection.ts'

export class ClientTunnel implements TunnelSide {
  readonly #connection: Connection
  readonly #backend: TunnelSide

  constructor(connection: Connection, backend: TunnelSide) {
    this.#connection = connection
    this.#backend = backend
    // The other way may go on after the client has ended its own.
    connection.socket.allowHalfOpen = true
  }

  // ---- the backend's side ----------------------------------------------------------------------

  data(chunk: Buffer): 'more' | 'pause' {
    this.#connection.write('', chunk, '')
    return this.#connection.backlog === 'full' ? 'pause' : 'more'
  }

  end(): void {
    this.#connection.endHalf()
  }

  resume(): void {
    this.#connection.socket.resume()
  }

  abort(): void {
    this.#connection.destroy()
  }

  // ---- the connection's side -------------------------------------------------------------------

  received(bytes: Buffer): void {
    if (this.#backend.data(bytes) === 'pause') this.#connection.socket.pause()
  }

  ended(): void {
    this.#backend.end()
  }
}
