/**
 * An issuer on a real socket, with the moods that issuers have.
 */
import { createServer, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'

/** What it does instead of answering. */
const MOODS = {
  error: (response) => response.writeHead(500).end('secret words of the issuer'),
  redirect: (response) => response.writeHead(302, { location: '/elsewhere' }).end('{"keys":[]}'),
  huge: (response) => response.end(Buffer.alloc(2 * 1024 * 1024, 0x20)),
  slow: () => undefined,
  dripping: (response) => response.write('{'),
  broken: (response) => response.end('{"keys": secret'),
  hangUp: (response) => response.socket?.destroy(),
  encoded: (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('{}'),
} as const satisfies Readonly<Record<string, (response: ServerResponse) => unknown>>

export type Mood = 'well' | keyof typeof MOODS

export class IssuerServer {
  mood: Mood = 'well'
  /** What the key set holds, and what the discovery document says beside its jwks_uri. */
  keys: unknown = []
  discovery: Record<string, unknown> = {}
  /** Paths in the order in which they were asked for. */
  readonly asked: string[] = []
  readonly #sockets = new Set<Socket>()
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    server.on('request', (request, response) => {
      this.asked.push(request.url ?? '')
      this.#answer(request.url ?? '', response)
    })
  }

  static async start(tls?: { readonly cert: string; readonly key: string }): Promise<IssuerServer> {
    const server = tls === undefined ? createServer() : createTlsServer(tls)
    const issuer = new IssuerServer(server)
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    return issuer
  }

  get port(): number {
    const address = this.#server.address() as AddressInfo
    return address.port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => {
      this.#server.close(resolve)
    })
  }

  #answer(path: string, response: ServerResponse): void {
    if (this.mood === 'well') response.end(JSON.stringify(this.#document(path)))
    else MOODS[this.mood](response)
  }

  #document(path: string): unknown {
    if (!path.endsWith('/.well-known/openid-configuration')) return { keys: this.keys }
    return { issuer: this.url, jwks_uri: `${this.url}/keys`, ...this.discovery }
  }
}
