/**
 * Plain requests to the Kubernetes API server: two pools of connections for the life of the process,
 * credentials from a kubeconfig or the pod's ServiceAccount. Everything above it speaks in paths and
 * JSON. Pinned by test/cluster: every cluster test goes through it.
 *
 * @kubernetes/client-node reads the configuration and renews tokens; its own transport opens a TLS
 * connection for every call, so the requests are made here.
 */
import type { Readable } from 'node:stream'
import { buildConnector, type Dispatcher, Pool } from 'undici'

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

/** What a connection and a request need of the configuration, asked anew: both are renewed on disk. */
export interface KubeCredentials {
  readonly server: string
  tls(): Promise<KubeTls>
  headers(): Promise<Readonly<Record<string, string>>>
}

export interface KubeTls {
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  readonly check: 'verify' | 'skip'
  /** Name that the certificate must have, where it is not the server's. */
  readonly servername: string | undefined
}

/** A list page of some hundred objects takes well under a second; a minute is a dead server. */
const SILENCE_MS = 60_000
/**
 * A watch ends after WATCH_SECONDS_MAX at the latest, and the API server sends a bookmark before
 * that: silence beyond it is a connection that died without a word.
 */
export const WATCH_SECONDS_MAX = 45
const WATCH_SILENCE_MS = 55_000
const CONNECT_WITHIN_MS = 10_000
/** Dead peers are noticed ten seconds after this: the kernel asks ten times, once a second. */
const KEEP_ALIVE_AFTER_MS = 15_000
/** Requests at once; watches have connections of their own, one for each. */
const CONNECTIONS_MAX = 24

export interface KubeTimings {
  readonly watchSilenceMs: number
}

export function createKubeClient(
  credentials: KubeCredentials,
  { watchSilenceMs }: KubeTimings = { watchSilenceMs: WATCH_SILENCE_MS },
): KubeClient {
  const requests = poolOf(credentials, { connections: CONNECTIONS_MAX, bodyTimeout: SILENCE_MS })
  const watches = poolOf(credentials, { connections: null, bodyTimeout: watchSilenceMs })

  async function send(pool: Pool, request: KubeRequest) {
    const answer = await pool
      .request(await asked(request, credentials))
      .catch((error: unknown) => unreachable(error))
    return { answer, retryAfterMs: retryAfter(answer.headers['retry-after']) }
  }

  return {
    async request(request) {
      const { answer, retryAfterMs } = await send(requests, request)
      const text = await answer.body.text().catch((error: unknown) => unreachable(error))
      return { status: answer.statusCode, body: parse(text), retryAfterMs }
    },
    async open(request) {
      const { answer, retryAfterMs } = await send(watches, request)
      if (answer.statusCode === 200) return answer.body
      const text = await answer.body.text().catch((error: unknown) => unreachable(error))
      throw failureOf(answer.statusCode, parse(text), retryAfterMs)
    },
    async close() {
      await Promise.all([requests.destroy(), watches.destroy()])
    },
  }
}

function poolOf(credentials: KubeCredentials, options: Pool.Options): Pool {
  return new Pool(new URL(credentials.server).origin, {
    ...options,
    allowH2: false,
    headersTimeout: SILENCE_MS,
    connect: (to, done) => {
      connectorOf(credentials).then(
        (connect) => connect(to, done),
        (error: unknown) => done(error instanceof Error ? error : new Error(String(error)), null),
      )
    },
  })
}

/** The files are read for each connection: authorities and client certificates are replaced. */
async function connectorOf(credentials: KubeCredentials): Promise<buildConnector.connector> {
  const { ca, cert, key, check, servername } = await credentials.tls()
  return buildConnector({
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
    rejectUnauthorized: check === 'verify',
    timeout: CONNECT_WITHIN_MS,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS,
    allowH2: false,
  })
}

async function asked(
  request: KubeRequest,
  credentials: KubeCredentials,
): Promise<Dispatcher.RequestOptions> {
  const query = new URLSearchParams(request.query).toString()
  const type = request.contentType ?? 'application/json'
  // A proxy in front may serve several clusters below paths of its own.
  const path = `${new URL(credentials.server).pathname.replace(/\/$/, '')}${request.path}`
  return {
    method: request.method,
    path: query === '' ? path : `${path}?${query}`,
    headers: {
      ...(await credentials.headers()),
      accept: 'application/json',
      'user-agent': 'fairlead',
      ...(request.body === undefined ? {} : { 'content-type': type }),
    },
    body: request.body === undefined ? null : JSON.stringify(request.body),
    signal: request.signal ?? null,
  }
}

function unreachable(error: unknown): never {
  throw new KubeFailure(0, 'Unreachable', `cannot reach the API server: ${messageOf(error)}`)
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
