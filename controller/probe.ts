/**
 * The controller's probe port: /livez says that it runs, /readyz that it has read everything and
 * serves data planes. GET only; nothing else is here.
 * Pinned by probe.test.ts: "ready turns once everything has been read".
 */
import { createServer } from 'node:http'

export interface ProbeOptions {
  readonly listen: { readonly host: string; readonly port: number }
  readonly ready: () => 'yes' | 'no'
}

export interface Probe {
  readonly port: number
  close(): Promise<void>
}

export async function startProbe({ listen, ready }: ProbeOptions): Promise<Probe> {
  const server = createServer((request, response) => {
    request.resume()
    const status = statusOf(request.method ?? '', request.url ?? '', ready)
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
    response.end(status === 200 ? 'ok\n' : 'no\n')
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(listen.port, listen.host, resolve)
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function statusOf(method: string, target: string, ready: () => 'yes' | 'no'): number {
  if (method !== 'GET') return 405
  if (target === '/livez') return 200
  if (target === '/readyz') return ready() === 'yes' ? 200 : 503
  return 404
}
