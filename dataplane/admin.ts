/**
 * What is asked about the process rather than served by it: the probe port for the kubelet and
 * Prometheus, and apart from it the admin socket for the operator. Main thread only.
 * Pinned by admin.test.ts: "the probe port shows nothing but its three paths".
 */
import { chmodSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Answered {
  readonly status: number
  readonly contentType: string
  readonly text: string
}

/** By path; what is not here is 404. */
export type Paths = Readonly<Record<string, () => Answered | Promise<Answered>>>

export function text(status: number, line: string): Answered {
  return { status, contentType: 'text/plain; charset=utf-8', text: `${line}\n` }
}

export function json(value: unknown): Answered {
  return { status: 200, contentType: 'application/json', text: `${JSON.stringify(value)}\n` }
}

/** A scrape or a probe is small; whoever sends more than this asks for something else. */
const HEAD_BYTES_MAX = 16 * 1024
const HEAD_TIMEOUT_MS = 5_000

export class AdminServer {
  readonly #server: Server
  readonly #paths: ReadonlyMap<string, Paths[string]>

  constructor(paths: Paths) {
    this.#paths = new Map(Object.entries(paths))
    this.#server = createServer({
      maxHeaderSize: HEAD_BYTES_MAX,
      headersTimeout: HEAD_TIMEOUT_MS,
      requestTimeout: HEAD_TIMEOUT_MS,
      keepAliveTimeout: HEAD_TIMEOUT_MS,
    })
    this.#server.on('request', (request, response) => {
      this.#answer(request)
        .catch(() => text(500, 'failed'))
        .then((answer) => send(request, response, answer))
        .catch(() => response.destroy())
    })
  }

  async listen(host: string, port: number): Promise<AddressInfo> {
    await this.#listening({ host, port })
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('not a TCP address')
    return address
  }

  /** A unix socket that only its owner may use; one that a dead process has left is taken over. */
  async listenAt(path: string): Promise<void> {
    rmSync(path, { force: true })
    await this.#listening({ path })
    chmodSync(path, 0o600)
  }

  async #listening(where: object): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#server.once('error', reject)
    this.#server.listen(where, resolve)
    await promise
    this.#server.off('error', reject)
  }

  async #answer({ method, url, headers }: IncomingMessage): Promise<Answered> {
    // No page that a browser shows has any business here.
    if (headers.origin !== undefined) return text(403, 'not for browsers')
    const [path = ''] = (url ?? '').split('?')
    const answer = this.#paths.get(path)
    if (answer === undefined) return text(404, 'not found')
    if (method !== 'GET') return text(405, 'only GET')
    return answer()
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    this.#server.closeAllConnections()
    await promise
  }
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answered): void {
  request.resume()
  response.writeHead(answer.status, {
    'content-type': answer.contentType,
    'content-length': Buffer.byteLength(answer.text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(answer.status === 405 ? { allow: 'GET' } : {}),
  })
  response.end(answer.text)
}
