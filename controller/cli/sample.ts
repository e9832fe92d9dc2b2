/**
 * The built-in sample backend of folder mode: stands in for every Service that the folder has no
 * EndpointSlice for. It answers from `fixtures/<namespace>/<service>/<path>`, else with an echo of
 * the request, so that a route can be tried before its backend exists.
 * Pinned by sample.test.ts: "a fixture answers with its type and its status".
 */
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { extname, join } from 'node:path'
import type { Endpoint } from '#wire/session'

export interface Samples {
  /** Listens for these backends (`namespace/service:port`); resolves once all do. */
  ensure(keys: Iterable<string>): Promise<void>
  /** Null where `ensure` has not been called for it. */
  endpointsOf(key: string): readonly Endpoint[] | null
  close(): Promise<void>
}

const TYPES: Readonly<Record<string, string>> = {
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
}
/** A fixture is read whole. */
const BODY_ECHO_BYTES_MAX = 64 * 1024

export function createSamples(folder: string): Samples {
  const listening = new Map<string, { readonly server: Server; readonly port: number }>()

  async function start(key: string): Promise<void> {
    const server = createServer((request, response) => {
      answer(folder, key, request, response).catch(() => response.destroy())
    })
    // A keep-alive longer than the data plane's: it, not the sample, ends idle connections.
    server.keepAliveTimeout = 120_000
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    server.unref()
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    listening.set(key, { server, port })
  }

  return {
    async ensure(keys) {
      await Promise.all([...keys].filter((key) => !listening.has(key)).map(start))
    },
    endpointsOf(key) {
      const found = listening.get(key)
      return found === undefined ? null : [{ address: '127.0.0.1', port: found.port, zone: null }]
    },
    async close() {
      for (const { server } of listening.values()) {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
    },
  }
}

interface Fixture {
  readonly status: number
  /** Before the head of the answer. */
  readonly waitMs: number
  readonly type: string
  readonly bytes: Buffer
}

async function answer(
  folder: string,
  key: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path, query] = splitTarget(request.url ?? '/')
  const service = key.replace(/:[^:]*$/, '')
  const fixture = await fixtureOf(join(folder, 'fixtures', service), path)
  if (fixture !== null) {
    request.resume()
    if (fixture.waitMs > 0) await new Promise((done) => setTimeout(done, fixture.waitMs).unref())
    response.writeHead(fixture.status, {
      'content-type': fixture.type,
      'content-length': fixture.bytes.length,
    })
    response.end(request.method === 'HEAD' ? undefined : fixture.bytes)
    return
  }
  const body = await bodyOf(request)
  const echo = { service, method: request.method, path, query, headers: request.headers, body }
  const text = `${JSON.stringify(echo, null, 2)}\n`
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(request.method === 'HEAD' ? undefined : text)
}

function splitTarget(target: string): readonly [string, string | null] {
  const mark = target.indexOf('?')
  return mark === -1 ? [target, null] : [target.slice(0, mark), target.slice(mark + 1)]
}

/** Only plain segments can name a file: the gateway resolved dots, and nothing else is tried. */
const SEGMENT = /^[A-Za-z0-9_~-][A-Za-z0-9_.~-]*$/

/** How long a slow fixture waits: longer than a timeout that somebody wants to see at work. */
const SLOW_MS = 1_000

/**
 * `name.json`, `name.txt`, `name.html`; `name.503.json` answers with that status, `name.slow.json`
 * after a second.
 */
async function fixtureOf(folder: string, path: string): Promise<Fixture | null> {
  const segments = path.split('/').filter((segment) => segment !== '')
  if (!segments.every((segment) => SEGMENT.test(segment))) return null
  const base = join(folder, ...(segments.length === 0 ? ['index'] : segments))
  for (const ending of Object.keys(TYPES)) {
    for (const manner of ['', '.404', '.500', '.503', '.slow']) {
      const bytes = await readFile(`${base}${manner}${ending}`).catch(() => null)
      if (bytes === null) continue
      const status = Number(manner.slice(1)) || 200
      const waitMs = manner === '.slow' ? SLOW_MS : 0
      return { status, waitMs, type: TYPES[extname(`x${ending}`)] ?? 'text/plain', bytes }
    }
  }
  return null
}

async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    const part = Buffer.from(chunk)
    bytes += part.length
    if (bytes <= BODY_ECHO_BYTES_MAX) parts.push(part)
  }
  return bytes === 0 ? null : Buffer.concat(parts).toString('utf8')
}
