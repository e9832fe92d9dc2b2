/**
 * One request and all that is known of it, from its first byte to its record. A fixed-shape object:
 * every field exists from the start, phases fill them in the order in which time passes. The front
 * makes it; nothing outlives it but the record.
 * Proved by serve.test.ts.
 */
import type { Taken } from '../limits/taken.ts'
import type { Caller } from '../phases/authenticate/caller.ts'
import type { Flight } from '../phases/cache/flights.ts'
import type { PreparedRule } from '../runtime/runtime.ts'
import type { Failure } from './failure.ts'
import type { Decision } from './outcome.ts'
import type { TunnelSide } from './tunnel.ts'

export interface Exchange {
  /** The gateway's own id: unique, 26 characters; `x-request-id` to the upstream. */
  readonly id: string
  /** Milliseconds since 1970, for the log and `request.time`. */
  readonly startedAtMs: number
  /** Monotonic, for durations: milliseconds of process.hrtime. */
  readonly startedMs: number

  // ---- as received --------------------------------------------------------------------------
  readonly protocol: '1.0' | '1.1' | '2'
  readonly method: string
  readonly scheme: 'http' | 'https'
  /** Lower case, without port, without trailing dot; an IPv6 literal keeps its brackets. */
  readonly host: string
  /** Canonical path (wire/path.ts). */
  readonly path: string
  /** Raw, without `?`; null where there is none. */
  readonly query: string | null
  /** Flat list: order, case and duplicates kept. */
  readonly headers: readonly string[]
  /** Of the client, after trustedProxies. */
  readonly ip: string
  /** The address at the other end of the connection: what X-Forwarded-For gets appended. */
  readonly peer: string
  /** Whether the peer is one of trustedProxies: only then what it forwards is passed on. */
  readonly peerTrust: 'trusted' | 'untrusted'
  /** Protocols that the client would switch to, as it named them; null: it stays with HTTP. */
  readonly upgrade: string | null
  readonly body: RequestBody
  readonly answer: Answer

  // ---- filled by the phases -----------------------------------------------------------------
  /** match */
  rule: PreparedRule | null
  /** match: captured by `{name}` or named groups; percent-decoded. Null prototype. */
  params: Readonly<Record<string, string>>
  /**
   * match: what stands below `/**`, without its leading slash, still canonical: '' where the path
   * ends in that slash. Null where there is no slash (`/x` of `/x/**`) and without a `/**`.
   */
  rest: string | null
  /** authenticate */
  caller: Caller | null
  /** authenticate: flat list of headers computed by `forward`, to be set on the upstream request. */
  identityHeaders: readonly string[] | null
  /** authenticate: carriers of credentials that must not reach the upstream. */
  strip: CredentialStrip | null
  /** admit: limits taken; given back or released by record. */
  taken: Taken | null
  /** lookUp: for whom an answer may be kept. Null: for nobody. */
  cacheAudience: string | null
  /** lookUp: others wait for its answer. Whoever keeps the answer lands it, at the latest record. */
  flight: Flight | null
  /** rewrite: what goes upstream. The path is canonical; the query raw, without its credentials. */
  upstreamPath: string
  upstreamQuery: string | null
  upstreamHost: string | null
  /**
   * rewrite: flat list without Host, Content-Length and any hop-by-hop field: the upstream frames
   * the body from `body.bytesDeclared`, never from a header that was copied.
   */
  upstreamHeaders: readonly string[]
  /** forward: key of the backend that answered or failed, null for fixed answers. */
  backend: string | null
  /** forward: milliseconds of hrtime at the upstream's head; 0: none came. */
  upstreamHeadMs: number
  /** Set by the front where it refuses the request: then no phase runs. */
  decision: Decision | null
  /** respond: of the head; 499 where the client left before it. 0: not yet known. */
  status: number
  /** respond: why an answer that was decided did not reach its end. */
  broken: Failure | null
  /** respond: true where only the last byte is left, which finish sends. */
  complete: boolean
  /** An aggregate answered with holes. */
  partial: boolean
  /** Of bodies and tunnels. bytesIn: counted by whoever reads them; bytesOut: by respond. */
  bytesIn: number
  bytesOut: number
}

/** What the front knows. `refusal`: it is not to be served, only answered and recorded. */
export type Received = Pick<
  Exchange,
  | 'id'
  | 'startedAtMs'
  | 'startedMs'
  | 'protocol'
  | 'method'
  | 'scheme'
  | 'host'
  | 'path'
  | 'query'
  | 'headers'
  | 'ip'
  | 'peer'
  | 'peerTrust'
  | 'upgrade'
  | 'body'
  | 'answer'
> & { readonly refusal: Failure | null }

const NO_HEADERS: readonly string[] = []

/** All exchanges have one shape, in one order: the engine then reads each field at an offset. */
export function newExchange(received: Received): Exchange {
  return {
    id: received.id,
    startedAtMs: received.startedAtMs,
    startedMs: received.startedMs,
    protocol: received.protocol,
    method: received.method,
    scheme: received.scheme,
    host: received.host,
    path: received.path,
    query: received.query,
    headers: received.headers,
    ip: received.ip,
    peer: received.peer,
    peerTrust: received.peerTrust,
    upgrade: received.upgrade,
    body: received.body,
    answer: received.answer,
    rule: null,
    params: NO_PARAMS,
    rest: null,
    caller: null,
    identityHeaders: null,
    strip: null,
    taken: null,
    cacheAudience: null,
    flight: null,
    upstreamPath: received.path,
    upstreamQuery: received.query,
    upstreamHost: null,
    upstreamHeaders: NO_HEADERS,
    backend: null,
    upstreamHeadMs: 0,
    decision: received.refusal,
    status: 0,
    broken: null,
    complete: false,
    partial: false,
    bytesIn: 0,
    bytesOut: 0,
  }
}

/** Null prototype: a name from the wire must never reach a member of Object.prototype. */
export function bareRecord(): Record<string, string> {
  const bare: Record<string, string> = Object.create(null)
  return bare
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze(bareRecord())

/** Names (lower case) whose credential was read and is to be removed. */
export interface CredentialStrip {
  readonly headers: readonly string[]
  readonly cookies: readonly string[]
  readonly queryParams: readonly string[]
}

/** The request's body, push-style. Unread until somebody calls `start`, exactly once. */
export interface RequestBody {
  /** Known to be empty: no content-length and no transfer-encoding, or content-length 0. */
  readonly empty: boolean
  readonly bytesDeclared: number | null
  start(sink: BodySink): void
  resume(): void
}

export interface BodySink {
  data(chunk: Buffer): 'more' | 'pause'
  /** `trailers`: flat list as it came; absent or null: there are none. */
  end(trailers?: readonly string[] | null): void
  /** The client went away in the middle. */
  abort(): void
}

/** The way back to the client, filled by the front; used by respond and finish alone. */
export interface Answer {
  readonly started: boolean
  /** An interim answer (103), before the head. */
  interim?(status: number, headers: readonly string[]): void
  head(status: number, headers: readonly string[]): void
  data(chunk: Buffer): 'more' | 'pause'
  /** The last chunk with the end of the message, so that the record can come before it. */
  end(chunk: Buffer | null, trailers: readonly string[] | null): void
  /**
   * In place of `head` and `data`, where the exchange has `upgrade`: says that the protocol is
   * switched, and from then on gives what comes to `backend`, until `end`. Returns where the
   * backend's bytes go. Null: the client has sent bytes before anybody had agreed to that, and
   * nothing was said.
   */
  openTunnel(headers: readonly string[], backend: TunnelSide): TunnelSide | null
  /** Ends the connection in the middle of a message. */
  destroy(): void
  /** One listener each: a later one takes the place of an earlier one. */
  onDrain(listener: () => void): void
  /** The client is gone before the end. Called at once where it is gone already. */
  onAbort(listener: () => void): void
}
