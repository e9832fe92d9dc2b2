/**
 * The one way out for every URL that a resource holds or an issuer's discovery names: on the main
 * thread, each connection to an address that was looked at first, no redirect followed, nothing of
 * an answer in any text that people read.
 * Pinned by egress.test.ts: "a redirect is an answer like any other, and not the one wanted".
 */
import { networkInterfaces } from 'node:os'
import type { Socket } from 'node:net'
import type { buildConnector, Client } from 'undici'
import { createResolve, type Resolve } from './egress-names.ts'
import { type EgressRules, mayReach } from './egress-rules.ts'

export interface EgressOptions {
  /** `allow` in `fairlead dev` only. */
  readonly loopback: 'allow' | 'refuse'
  /** Our own listeners: never a destination. */
  readonly ownPorts: () => readonly number[]
  readonly resolve?: Resolve
}

export interface FetchBounds {
  /** For everything: name, connection, head and body. */
  readonly timeoutMs: number
  readonly bytesMax: number
  /**
   * The host of `url` is a Service of the policy's own namespace, with these addresses: it is not
   * looked up by name, and may be private and plain. Other hosts are judged as ever.
   */
  readonly at?: { readonly url: string; readonly addresses: readonly string[] }
}

export type Fetched =
  | { readonly kind: 'fetched'; readonly bytes: Buffer }
  /** Completes "The URL …": for logs and status, safe to show. */
  | { readonly kind: 'failed'; readonly because: string }

const ADDRESSES_TRIED_MAX = 4
const HEAD_BYTES_MAX = 16 * 1024

export class Egress {
  readonly #options: EgressOptions
  readonly #resolve: Resolve
  #allow: readonly string[] = []

  constructor(options: EgressOptions) {
    this.#options = options
    this.#resolve = options.resolve ?? createResolve()
  }

  /** `gateway.egressAllow` of the table in force. */
  allow(entries: readonly string[]): void {
    this.#allow = entries
  }

  async get(text: string, bounds: FetchBounds): Promise<Fetched> {
    const url = parseUrl(text)
    if (url === null) return failed('is not an http or https URL without credentials')
    // A start waits for nothing of it, and many tables name no URL.
    const library = await import('undici')
    const connector = library.buildConnector({ timeout: bounds.timeoutMs, allowH2: false })
    const client = new library.Client(url.origin, {
      connect: (target, callback) => {
        this.#connect(target, bounds, connector).then(
          (socket) => callback(null, socket),
          (error: unknown) => callback(asError(error), null),
        )
      },
      allowH2: false,
      maxHeaderSize: HEAD_BYTES_MAX,
      maxResponseSize: bounds.bytesMax,
      headersTimeout: bounds.timeoutMs,
      bodyTimeout: bounds.timeoutMs,
    })
    try {
      return await this.#read(client, url, bounds)
    } catch (error) {
      return failed(reasonOf(error))
    } finally {
      client.destroy().catch(() => undefined)
    }
  }

  async #read(client: Client, url: URL, { timeoutMs, bytesMax }: FetchBounds): Promise<Fetched> {
    const answer = await client.request({
      method: 'GET',
      path: `${url.pathname}${url.search}`,
      headers: { accept: 'application/json', 'accept-encoding': 'identity' },
      signal: AbortSignal.timeout(timeoutMs),
    })
    if (answer.statusCode !== 200) return failed(`answers with status ${answer.statusCode}`)
    const coding = answer.headers['content-encoding']
    if (coding !== undefined && coding !== 'identity') return failed('answers with a coding')
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of answer.body) {
      const part = Buffer.from(chunk)
      bytes += part.length
      if (bytes > bytesMax) return failed(`answers with more than ${bytesMax} bytes`)
      chunks.push(part)
    }
    return { kind: 'fetched', bytes: Buffer.concat(chunks) }
  }

  /** The name is resolved anew for every connection, and the connection goes where was looked. */
  async #connect(
    target: buildConnector.Options,
    bounds: FetchBounds,
    connector: buildConnector.connector,
  ): Promise<Socket> {
    const scheme = target.protocol === 'https:' ? 'https' : 'http'
    const host = hostOf(target.hostname)
    const port = Number(target.port === '' ? (scheme === 'https' ? 443 : 80) : target.port)
    const service = serviceAt(host, bounds)
    const of = service === null ? 'anybody' : 'ownService'
    const addresses = service ?? (await this.#resolve(host))
    if (addresses.length === 0) throw new EgressError('has a host name without address')
    const rules = this.#rules()
    let problem = new EgressError('has no address that may be called')
    for (const address of addresses.slice(0, ADDRESSES_TRIED_MAX)) {
      const permission = mayReach({ scheme, host, address, port, of }, rules)
      if (permission.kind === 'refused') {
        problem = new EgressError(permission.because)
        continue
      }
      try {
        return await dial({ ...target, hostname: address }, host, connector)
      } catch (error) {
        problem = new EgressError(reasonOf(error))
      }
    }
    throw problem
  }

  #rules(): EgressRules {
    const interfaces = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
    const addresses = interfaces.map(({ address }) => address)
    const { loopback, ownPorts } = this.#options
    return { allow: this.#allow, loopback, own: { addresses, ports: ownPorts() } }
  }
}

/** The certificate must name the host, not the address; SNI takes no addresses (RFC 6066). */
function dial(
  target: buildConnector.Options,
  host: string,
  connect: buildConnector.connector,
): Promise<Socket> {
  const named = target.hostname === host ? target : { ...target, servername: host }
  return new Promise((resolve, reject) => {
    connect(named, (error, socket) => {
      if (error === null) resolve(socket)
      else reject(error)
    })
  })
}

/** Null: the host is none that the caller knows the addresses of. */
function serviceAt(host: string, { at }: FetchBounds): readonly string[] | null {
  if (at === undefined) return null
  const url = parseUrl(at.url)
  return url !== null && hostOf(url.hostname) === host ? at.addresses : null
}

class EgressError extends Error {}

function parseUrl(text: string): URL | null {
  const url = URL.parse(text)
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return null
  return url.username === '' && url.password === '' && url.hostname !== '' ? url : null
}

function hostOf(hostname: string): string {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  return bare.toLowerCase().replace(/\.$/, '')
}

/** Codes are from closed lists; messages may quote what the other side has sent. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'cannot be read'
  if (error instanceof EgressError) return error.message
  if (error.cause instanceof EgressError) return error.cause.message
  if (error.name === 'TimeoutError') return 'does not answer in time'
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return /^[A-Z0-9_]{1,64}$/.test(code) ? `cannot be read (${code})` : 'cannot be read'
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('cannot connect')
}

function failed(because: string): Fetched {
  return { kind: 'failed', because }
}
