/**
 * A real HTTP server behind a Service. Kubernetes takes no loopback address into an EndpointSlice, so
 * it listens on the address that the tests' own network has (test/own-network.sh), and on no other.
 */
import { createServer } from 'node:http'
import { networkInterfaces } from 'node:os'
import type { Ending } from './cluster.ts'

export interface Backend {
  readonly address: string
  readonly port: number
  /** Requests seen: `GET /path`. */
  readonly seen: string[]
  close(): Promise<void>
}

/** Answers every request with its own name. */
export async function startBackend(ending: Ending, name: string): Promise<Backend> {
  const address = ownAddress()
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    request.resume()
    const body = JSON.stringify({ name, path: request.url, headers: request.headers })
    response.writeHead(200, { 'content-type': 'application/json', 'x-backend': name }).end(body)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, address, resolve)
  })
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  ending.after(close)
  const bound = server.address()
  return {
    address,
    port: typeof bound === 'object' && bound !== null ? bound.port : 0,
    seen,
    close,
  }
}

/** An interface of the machine is never listened on. */
function ownAddress(): string {
  const loopback = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const own = loopback.find(
    ({ family, internal, address }) => family === 'IPv4' && internal && !address.startsWith('127.'),
  )
  if (own !== undefined) return own.address
  throw new Error('backends need a network of their own: test/own-network.sh node --test FILE')
}
