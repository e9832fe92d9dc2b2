/**
 * One request and all that is known of it, from its first byte to its record. A fixed-shape object:
 * every field exists from the start, phases fill them in the order in which time passes. The front
 * makes it; nothing outlives it but the record.
 */
import type { Caller } from '../phases/authenticate/caller.ts'
import type { Taken } from '../limits/taken.ts'
import type { PreparedRule } from '../runtime/runtime.ts'
import type { Decision } from './outcome.ts'

export interface Exchange {
  /** The gateway's own id: unique, 26 characters; `x-request-id` to the upstream. */
  readonly id: string
  /** Milliseconds since 1970, for the log and `request.time`. */
  readonly startedAtMs: number
  /** Monotonic, for durations: milliseconds of process.hrtime. */
  readonly startedMs: number

  // ---- as received --------------------------------------------------------------------------
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
  readonly body: RequestBody
  readonly answer: Answer

  // ---- filled by the phases -----------------------------------------------------------------
  /** match */
  rule: PreparedRule | null
  /** match: captured by `{name}` or named groups; percent-decoded. Null prototype. */
  params: Readonly<Record<string, string>>
  /** match: what stands below `/**`, without leading slash, still canonical; null without one. */
  rest: string | null
  /** authenticate */
  caller: Caller | null
  /** authenticate: flat list of headers computed by `forward`, to be set on the upstream request. */
  identityHeaders: readonly string[] | null
  /** authenticate: carriers of credentials that must not reach the upstream. */
  strip: CredentialStrip | null
  /** admit: limits taken; given back or released by record. */
  taken: Taken | null
  /** rewrite: what goes upstream. */
  upstreamPath: string
  upstreamHost: string | null
  /** forward: key of the backend that answered or failed, null for fixed answers. */
  backend: string | null
  /** forward: milliseconds of hrtime at the upstream's head; 0: none came. */
  upstreamHeadMs: number
  decision: Decision | null
  /** respond: true once the last byte was handed to the client's connection. */
  complete: boolean
  /** An aggregate answered with holes. */
  partial: boolean
  bytesIn: number
  bytesOut: number
}

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
  end(): void
  /** The client went away in the middle. */
  abort(): void
}

/** The way back to the client, filled by the front; used by respond and finish alone. */
export interface Answer {
  readonly started: boolean
  head(status: number, headers: readonly string[]): void
  data(chunk: Buffer): 'more' | 'pause'
  /** The last chunk with the end of the message, so that the record can come before it. */
  end(chunk: Buffer | null, trailers: readonly string[] | null): void
  /** Ends the connection in the middle of a message. */
  destroy(): void
  /** At most one listener each. */
  onDrain(listener: () => void): void
  /** The client is gone before the end. Called at once where it is gone already. */
  onAbort(listener: () => void): void
}
