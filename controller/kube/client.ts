/**
 * Plain requests to the Kubernetes API server: one pool of connections for the life of the process,
 * credentials from a kubeconfig or the pod's ServiceAccount. Everything above it speaks in paths and
 * JSON. Pinned by test/cluster: every cluster test goes through it.
 *
 * @kubernetes/client-node reads the configuration and renews tokens; its own transport opens a TLS
 * connection for every call, so the requests are made here.
 */
import { Pool } from 'undici'
import type { Readable } from 'node:stream'

export interface KubeAnswer {
  readonly status: number
  readonly body: unknown
  /** Milliseconds after which the API server wants to be asked again; null without Retry-After. */
  readonly retryAfterMs: number | null
}

export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly contentType?: string
  readonly signal?: AbortSignal
}

export interface KubeClient {
  request(request: KubeRequest): Promise<KubeAnswer>
  /** A watch: the caller reads lines from the stream. Rejects with KubeFailure on other answers. */
  open(request: KubeRequest): Promise<Readable>
  close(): Promise<void>
}

/** The API server said no, or could not be reached (status 0). */
export class KubeFailure extends Error {
  readonly status: number
  /** Reason of the Status object, such as `Expired` or `Forbidden`; '' where there is none. */
  readonly reason: string
  readonly retryAfterMs: number | null
  constructor(status: number, reason: string, message: string, retryAfterMs: number | null = null) {
    super(message)
    this.status = status
    this.reason = reason
    this.retryAfterMs = retryAfterMs
  }
}

/** What a request needs of the configuration, read anew for each: tokens are renewed on disk. */
export interface KubeCredentials {
  readonly server: string
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  readonly tls: 'verify' | 'skip'
  headers(): Promise<Readonly<Record<string, string>>>
}

/** A list page of some thousand objects takes well under a second; a minute is a dead server. */
const REQUEST_TIMEOUT_MS = 60_000
/** Watches are quiet between bookmarks; the API server sends one about every minute. */
const WATCH_SILENCE_MS = 180_000
/** Lists of 12 kinds, their watches and the status writer's share. */
const CONNECTIONS_MAX = 48

export function createKubeClient(credentials: KubeCredentials): KubeClient {
  const pool = new Pool(new URL(credentials.server).origin, {
    connections: CONNECTIONS_MAX,
    allowH2: false,
    headersTimeout: REQUEST_TIMEOUT_MS,
    bodyTimeout: WATCH_SILENCE_MS,
    connect: {
      ...(credentials.ca === undefined ? {} : { ca: credentials.ca }),
      ...(credentials.cert === undefined ? {} : { cert: credentials.cert }),
      ...(credentials.key === undefined ? {} : { key: credentials.key }),
      rejectUnauthorized: credentials.tls === 'verify',
    },
  })

  async function send(request: KubeRequest) {
    const query = new URLSearchParams(request.query).toString()
    const answer = await pool
      .request({
        method: request.method,
        path: query === '' ? request.path : `${request.path}?${query}`,
        headers: {
          ...(await credentials.headers()),
          accept: 'application/json',
          'user-agent': 'fairlead',
          ...(request.body === undefined
            ? {}
            : { 'content-type': request.contentType ?? 'application/json' }),
        },
        body: request.body === undefined ? null : JSON.stringify(request.body),
        signal: request.signal ?? null,
      })
      .catch((error: unknown) => {
        throw new KubeFailure(0, 'Unreachable', `cannot reach the API server: ${messageOf(error)}`)
      })
    return { answer, retryAfterMs: retryAfter(answer.headers['retry-after']) }
  }

  return {
    async request(request) {
      const { answer, retryAfterMs } = await send(request)
      const text = await answer.body.text()
      return { status: answer.statusCode, body: parse(text), retryAfterMs }
    },
    async open(request) {
      const { answer, retryAfterMs } = await send(request)
      if (answer.statusCode === 200) return answer.body
      throw failureOf(answer.statusCode, parse(await answer.body.text()), retryAfterMs)
    },
    close: () => pool.destroy(),
  }
}

/** The answer's body where it succeeded, else a KubeFailure with the API server's own words. */
export function successOf(answer: KubeAnswer): unknown {
  if (answer.status >= 200 && answer.status < 300) return answer.body
  throw failureOf(answer.status, answer.body, answer.retryAfterMs)
}

function failureOf(status: number, body: unknown, retryAfterMs: number | null): KubeFailure {
  const { reason, message } = statusOf(body)
  return new KubeFailure(
    status,
    reason,
    message === '' ? `status ${status}` : message,
    retryAfterMs,
  )
}

/** reason and message of a Kubernetes Status object; empty where it is none. */
export function statusOf(body: unknown): { reason: string; message: string; code: number } {
  if (typeof body !== 'object' || body === null) return { reason: '', message: '', code: 0 }
  const status: { reason?: unknown; message?: unknown; code?: unknown } = body
  return {
    reason: typeof status.reason === 'string' ? status.reason : '',
    message: typeof status.message === 'string' ? status.message : '',
    code: typeof status.code === 'number' ? status.code : 0,
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return { message: text.slice(0, 200) }
  }
}

function retryAfter(header: string | string[] | undefined): number | null {
  const seconds = Number(Array.isArray(header) ? header[0] : header)
  return Number.isFinite(seconds) && header !== undefined ? seconds * 1000 : null
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
