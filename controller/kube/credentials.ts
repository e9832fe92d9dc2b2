/**
 * Where the API server is and who we are, from a kubeconfig file or from the pod's ServiceAccount.
 * The Kubernetes client library is loaded here only, and only when a cluster is used: it costs a
 * second and 85 MB that a folder of YAML does not need.
 * Pinned by credentials.test.ts: "a kubeconfig that can be used says where and who".
 */
import type { RequestOptions } from 'node:https'
import type { KubeConfig } from '@kubernetes/client-node'
import { fileReason } from '../file-reason.ts'
import type { KubeCredentials } from './client.ts'

/** What a file says of the cluster cannot be used: one line for whoever has to mend it. */
export class KubeconfigFailure extends Error {}

/**
 * `path` null: KUBECONFIG, ~/.kube/config or the pod's own account, in the library's order. Rejects
 * with a KubeconfigFailure, as do `tls` and `headers`: what the file names may come later, or go.
 */
export async function loadCredentials(path: string | null): Promise<KubeCredentials> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  const file = path ?? 'the kubeconfig (KUBECONFIG, else ~/.kube/config)'
  try {
    if (path === null) config.loadFromDefault()
    else config.loadFromFile(path)
  } catch (error) {
    throw unparsable(file, error)
  }
  const server = serverOf(config, file)
  const current = remember(HEADERS_FOR_MS, async () => {
    const options: RequestOptions = {}
    await config.applyToHTTPSOptions(options).catch((error: unknown) => {
      throw failure(file, unreadable(error))
    })
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

function failure(file: string, because: string): KubeconfigFailure {
  const fix = 'correct it, or write it anew: kubectl config view --raw --minify'
  return new KubeconfigFailure(`${file}: ${because}; ${fix}`)
}

/** The library shows the text around it, over several lines, and the position behind its reason. */
function unparsable(file: string, error: unknown): KubeconfigFailure {
  const [first = ''] = fileReason(error).split('\n')
  const [, reason = first, line, column] = /^(.*) \((\d+):(\d+)\)$/.exec(first) ?? []
  const at = line === undefined ? file : `${file}:${line}:${column}`
  return failure(at, `is no kubeconfig: ${reason}`)
}

/** Of a file that it names, such as a certificate, or of the program that it starts. */
function unreadable(error: unknown): string {
  const path = error instanceof Error && 'path' in error ? `it names ${String(error.path)}: ` : ''
  return `${path}${fileReason(error).split('\n', 1)[0] ?? ''}`
}

function serverOf(config: KubeConfig, file: string): string {
  const cluster = config.getCurrentCluster()
  if (cluster === null) throw failure(file, 'names no cluster for its current-context')
  const { server } = cluster
  const protocol = URL.canParse(server) ? new URL(server).protocol : ''
  if (protocol !== 'https:' && protocol !== 'http:') {
    throw failure(file, `the server "${server}" is no URL such as https://HOST:6443`)
  }
  const user = config.getContextObject(config.getCurrentContext())?.user ?? ''
  if (user !== '' && config.getCurrentUser() === null) {
    throw failure(file, `its current-context names the user "${user}", which it does not have`)
  }
  return server
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
