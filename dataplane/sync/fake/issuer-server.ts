/**
 * An issuer on a real socket, with the moods that issuers have.
 */
import { createServer, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'

export type Mood =
  | 'well'
  | 'error'
  | 'redirect'
  | 'huge'
  | 'slow'
  | 'dripping'
  | 'broken'
  | 'hangUp'
  | 'encoded'

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
    switch (this.mood) {
      case 'well':
        return void response.end(JSON.stringify(this.#document(path)))
      case 'error':
        return void response.writeHead(500).end('secret words of the issuer')
      case 'redirect':
        return void response.writeHead(302, { location: '/elsewhere' }).end('{"keys":[]}')
      case 'huge':
        return void response.end(Buffer.alloc(2 * 1024 * 1024, 0x20))
      case 'slow':
        return
      case 'dripping':
        response.write('{')
        return
      case 'broken':
        return void response.end('{"keys": secret')
      case 'hangUp':
        return void response.socket?.destroy()
      case 'encoded':
        return void response.writeHead(200, { 'content-encoding': 'gzip' }).end('{}')
      default:
        this.mood satisfies never
    }
  }

  #document(path: string): unknown {
    if (!path.endsWith('/.well-known/openid-configuration')) return { keys: this.keys }
    return { issuer: this.url, jwks_uri: `${this.url}/keys`, ...this.discovery }
  }
}
