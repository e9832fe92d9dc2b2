/**
 * Stands between a controller and the real API server, and does what that server will not do by
 * itself: refuses, stalls, cuts, tears a watch in the middle of a line, says that a version is gone.
 * It answers nothing of its own but what a test told it to.
 */
import { readFile, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, request } from 'node:https'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { Cluster, Ending } from './cluster.ts'

export interface AskedOfProxy {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly kind: 'watch' | 'list' | 'other'
}

export type Fault =
  /** The connection ends without an answer. */
  | { readonly kind: 'cut' }
  /** Nothing is answered, and nothing ends. */
  | { readonly kind: 'stall' }
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
    }
  /** Goes to the API server later. */
  | { readonly kind: 'delay'; readonly ms: number }

export interface FaultProxy {
  /** Leads to the proxy, with the credentials of another kubeconfig. */
  kubeconfig(of: string): Promise<string>
  /** Asked for each request; null: it goes through. */
  faults: (asked: AskedOfProxy) => Fault | null
  readonly seen: readonly AskedOfProxy[]
  /** What is open now, and what comes through it. */
  readonly watches: readonly OpenWatch[]
  /** Every connection ends. */
  cutEverything(): void
}

export interface OpenWatch {
  readonly path: string
  /** As a server that is going does it. */
  end(): void
  /** As a network that breaks does it, in the middle of a line. */
  tear(): void
  /** Nothing comes through any more, and nobody says so; held back until `resume`. */
  stall(): void
  resume(): void
  /** A line that the API server has not sent. */
  inject(line: string): void
}

export async function startFaultProxy(ending: Ending, cluster: Cluster): Promise<FaultProxy> {
  const pki = join(cluster.folder, 'pki')
  // It shows the API server's own certificate, so that a kubeconfig differs in the address alone.
  const [cert, key] = await Promise.all([
    readFile(join(pki, 'apiserver.crt')),
    readFile(join(pki, 'apiserver.key')),
  ])
  const proxy = new Proxy(cluster.server, { cert, key })
  const port = await proxy.listen()
  ending.after(() => proxy.close())
  const kubeconfig = async (of: string): Promise<string> => {
    const text = (await readFile(of, 'utf8')).replace(cluster.server, `https://127.0.0.1:${port}`)
    const path = join(cluster.folder, `by-proxy-${port}.kubeconfig`)
    await writeFile(path, text, { mode: 0o600 })
    return path
  }
  return Object.assign(proxy, { kubeconfig })
}

interface Pair {
  readonly cert: Buffer
  readonly key: Buffer
}

class Proxy {
  faults: FaultProxy['faults'] = () => null
  readonly seen: AskedOfProxy[] = []
  readonly #origin: string
  readonly #ca: Buffer
  readonly #watches = new Set<PipedWatch>()
  readonly #sockets = new Set<Duplex>()
  readonly #server

  constructor(origin: string, pair: Pair) {
    this.#origin = origin
    this.#ca = pair.cert
    this.#server = createServer({ ...pair }, (asking, answer) => {
      this.#take(asking, answer).catch(() => answer.destroy())
    })
    this.#server.on('tlsClientError', () => undefined)
    this.#server.on('connection', (socket: Duplex) => {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve)
    })
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  get watches(): readonly OpenWatch[] {
    return [...this.#watches]
  }

  cutEverything(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    this.cutEverything()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #take(asking: IncomingMessage, answer: ServerResponse): Promise<void> {
    const asked = askedOf(asking)
    this.seen.push(asked)
    const chunks: Uint8Array[] = []
    for await (const chunk of asking) if (chunk instanceof Uint8Array) chunks.push(chunk)
    const fault = this.faults(asked)
    switch (fault?.kind) {
      case undefined:
        return this.#pass(asking, chunks, answer)
      case 'cut':
        asking.socket.destroy()
        return
      case 'stall':
        return
      case 'answer':
        answer.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers })
        answer.end(fault.body ?? statusBody(fault.status))
        return
      case 'delay':
        await new Promise((resolve) => setTimeout(resolve, fault.ms))
        return this.#pass(asking, chunks, answer)
      default:
        return fault satisfies never
    }
  }

  #pass(asking: IncomingMessage, chunks: readonly Uint8Array[], answer: ServerResponse): void {
    const { kind, path } = askedOf(asking)
    const url = new URL(asking.url ?? '/', this.#origin)
    const { method, headers } = asking
    const options = { method, headers: { ...headers, host: url.host }, ca: this.#ca }
    const forward = request(url, options)
    forward.on('error', () => answer.destroy())
    answer.on('close', () => forward.destroy())
    forward.on('response', (response) => {
      response.on('error', () => answer.destroy())
      answer.writeHead(response.statusCode ?? 502, response.headers)
      if (kind === 'watch') this.#open(new PipedWatch(path, response, answer))
      else response.pipe(answer)
    })
    forward.end(Buffer.concat(chunks))
  }

  #open(watch: PipedWatch): void {
    this.#watches.add(watch)
    watch.over.then(
      () => this.#watches.delete(watch),
      () => this.#watches.delete(watch),
    )
  }
}

class PipedWatch implements OpenWatch {
  readonly path: string
  readonly over: Promise<void>
  readonly #from: IncomingMessage
  readonly #to: ServerResponse

  constructor(path: string, from: IncomingMessage, to: ServerResponse) {
    this.path = path
    this.#from = from
    this.#to = to
    to.flushHeaders()
    from.pipe(to)
    this.over = new Promise((resolve) => {
      to.on('close', () => resolve())
    })
  }

  end(): void {
    this.#from.unpipe(this.#to)
    this.#from.destroy()
    this.#to.end()
  }

  tear(): void {
    this.#from.unpipe(this.#to)
    this.#to.write('{"type":"MODIFIED","object":{"kind":"Api', () => this.#to.destroy())
    this.#from.destroy()
  }

  stall(): void {
    this.#from.unpipe(this.#to)
    this.#from.pause()
  }

  resume(): void {
    this.#from.pipe(this.#to)
  }

  inject(line: string): void {
    this.#to.write(`${line}\n`)
  }
}

function askedOf(asking: IncomingMessage): AskedOfProxy {
  const url = new URL(asking.url ?? '/', 'http://proxy')
  const method = asking.method ?? 'GET'
  const isWatch = url.searchParams.has('watch')
  const isList = method === 'GET' && url.searchParams.has('limit')
  const kind = isWatch ? 'watch' : isList ? 'list' : 'other'
  return { method, path: url.pathname, query: url.searchParams, kind }
}

/** As the API server says no. */
export function statusBody(code: number, reason = '', message = 'the fault proxy says no'): string {
  return JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code,
    reason,
    message,
  })
}
