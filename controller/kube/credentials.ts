/**
 * Where the API server is and who we are, from a kubeconfig file or from the pod's ServiceAccount.
 * The Kubernetes client library is loaded here only, and only when a cluster is used: it costs a
 * second and 85 MB that a folder of YAML does not need.
 * Proved by test/cluster/walk.test.ts.
 */
import type { RequestOptions } from 'node:https'
import type { KubeCredentials } from './client.ts'

/** `path` null: KUBECONFIG, ~/.kube/config or the pod's own account, in the library's order. */
export async function loadCredentials(path: string | null): Promise<KubeCredentials> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  if (path === null) config.loadFromDefault()
  else config.loadFromFile(path)
  const cluster = config.getCurrentCluster()
  if (cluster === null) throw new Error('the kubeconfig names no cluster; set its current-context')
  const { server } = cluster
  const current = remember(HEADERS_FOR_MS, async () => {
    const options: RequestOptions = {}
    await config.applyToHTTPSOptions(options)
    return options
  })
  return {
    server,
    async tls() {
      const options = await current()
      return {
        ca: textOf(options.ca),
        cert: textOf(options.cert),
        key: textOf(options.key),
        check: options.rejectUnauthorized === false ? 'skip' : 'verify',
        servername: options.servername,
      }
    },
    headers: async () => headersOf(await current()),
  }
}

/** The library reads files and makes an agent each time; thousands of requests may share that. */
const HEADERS_FOR_MS = 1_000

function remember<T>(forMs: number, make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null
  let atMs = Number.NEGATIVE_INFINITY
  return () => {
    const now = performance.now()
    if (made === null || now - atMs > forMs) {
      atMs = now
      made = make()
      made.catch(() => {
        made = null
      })
    }
    return made
  }
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return Buffer.isBuffer(value) ? value.toString('utf8') : undefined
}

function headersOf(options: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {}
  if (typeof options.headers === 'object' && options.headers !== null) {
    for (const [name, value] of Object.entries(options.headers)) headers[name] = String(value)
  }
  if (typeof options.auth === 'string') {
    headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`
  }
  return headers
}
