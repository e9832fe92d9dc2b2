/**
 * TLS of the clients: the host that a client asks for decides which certificates it is shown, before
 * the handshake begins. Contexts are made for the first client of a set and live as long as the
 * certificates are the table's; connections keep theirs, so that a change drops nobody.
 * Pinned by tls.test.ts: "a certificate that changes is shown to the next client and drops nobody".
 */
import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { covers, type ReadyCertificate, type TlsHost } from '../runtime/tls-hosts.ts'
import type { ClientHello } from './client-hello.ts'

export interface TlsSettings {
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  /** OpenSSL's spelling; null: Node's own list. */
  readonly ciphers: string | null
  /** 48 bytes, the same for all workers: a session goes on wherever its client comes back. */
  readonly ticketKeys: Uint8Array
}

/** What TLS asks of the front that it belongs to. */
export interface TlsOwner {
  /** Of the table that runs now; null: of a client that names no host. */
  tlsOf(serverName: string | null): TlsHost | null
  /** `set`: for which certificates the connection was made. */
  secured(socket: TLSSocket, set: string): void
  bug(error: unknown): void
}

/** Longer than two round trips around the world. */
const HANDSHAKE_MS = 10_000

/** Sessions are for all contexts of a gateway, and for nobody else's. */
const SESSION_ID_CONTEXT = 'fairlead'

/** Fatal: unrecognized_name (RFC 6066 section 3), as a record of its own. */
const UNRECOGNIZED_NAME = Buffer.from([21, 3, 1, 0, 2, 2, 112])

export class TlsFront {
  readonly #owner: TlsOwner
  readonly #settings: TlsSettings
  #ticketKeys: Buffer
  /** By the certificates that are shown. */
  readonly #servers = new WeakMap<TlsHost, Map<string, Server>>()
  readonly #known = new Set<WeakRef<Server>>()

  constructor(owner: TlsOwner, settings: TlsSettings) {
    this.#owner = owner
    this.#settings = settings
    this.#ticketKeys = Buffer.from(settings.ticketKeys)
  }

  /** The client's first message has been looked at and is still in the socket. */
  accept(socket: Socket, hello: ClientHello): void {
    if (hello.kind === 'notTls') return void socket.destroy()
    const { serverName } = hello
    const host = this.#owner.tlsOf(serverName)
    if (host === null || host.certificates.length === 0) return refuse(socket)
    try {
      this.#serverOf(host, serverName).emit('connection', socket)
    } catch (error) {
      this.#owner.bug(error)
      socket.destroy()
    }
  }

  /** From now on. Who comes with a ticket of the old ones makes a whole handshake. */
  ticketKeys(keys: Uint8Array): void {
    this.#ticketKeys = Buffer.from(keys)
    for (const reference of this.#known) {
      const server = reference.deref()
      if (server === undefined) this.#known.delete(reference)
      else server.setTicketKeys(this.#ticketKeys)
    }
  }

  #serverOf(host: TlsHost, serverName: string | null): Server {
    const shown = shownFor(host.certificates, serverName)
    const key = shown.map((one) => one.key).join(' ')
    const servers = this.#servers.get(host) ?? new Map<string, Server>()
    this.#servers.set(host, servers)
    const known = servers.get(key)
    if (known !== undefined) return known
    const server = this.#newServer(host.set, shown)
    servers.set(key, server)
    return server
  }

  #newServer(set: string, shown: readonly ReadyCertificate[]): Server {
    const { minVersion, ciphers } = this.#settings
    const server = createServer({
      cert: shown.map(({ chain }) => chain),
      key: shown.map(({ privateKey }) => Buffer.from(privateKey.base64, 'base64')),
      minVersion,
      ...(ciphers === null ? {} : { ciphers }),
      ALPNProtocols: ['h2', 'http/1.1'],
      ticketKeys: this.#ticketKeys,
      sessionIdContext: SESSION_ID_CONTEXT,
      handshakeTimeout: HANDSHAKE_MS,
      noDelay: true,
    })
    server.on('secureConnection', (socket) => this.#owner.secured(socket, set))
    // A handshake that failed is the client's; its connection has ended.
    server.on('tlsClientError', (_, socket) => socket.destroy())
    this.#known.add(new WeakRef(server))
    return server
  }
}

function refuse(socket: Socket): void {
  socket.on('error', () => undefined)
  socket.resume()
  socket.end(UNRECOGNIZED_NAME, () => socket.destroySoon())
}

/** Those that are for the name, or all; of each kind of key the first. */
function shownFor(
  certificates: readonly ReadyCertificate[],
  serverName: string | null,
): readonly ReadyCertificate[] {
  const fitting = certificates.filter(
    ({ names }) => serverName !== null && covers(names, serverName) === 'yes',
  )
  const kinds = new Set<string>()
  return (fitting.length > 0 ? fitting : certificates).filter(({ keyKind }) => {
    if (kinds.has(keyKind)) return false
    kinds.add(keyKind)
    return true
  })
}
