/**
 * The table as the request path sees it: everything parsed, bound and compiled when it arrived, and
 * swapped in by one assignment. What a rule does not use is null, so that its phase costs one check.
 */
import type { Gateway, PathRewrite } from '#wire/table'
import type { Cache, Faults, Share } from '#wire/traffic'
import type { BackendTarget, Reject, RejectCause } from '#wire/value'
import type { PreparedAuth } from '../phases/authenticate/prepared.ts'
import type { PreparedAggregate } from '../phases/forward/prepared-aggregate.ts'
import type { Limiter, PreparedLimit } from '../limits/limiter.ts'
import type { PreparedAddresses } from '../phases/addresses.ts'
import type { PreparedCors } from '../phases/cors/prepared.ts'
import type { PreparedCompression } from '../phases/respond/encoding.ts'
import type { PreparedDelivery } from '../upstream/delivery.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Exchange } from '../request/exchange.ts'
import type { Failure } from '../request/failure.ts'
import type { RecordSink } from '../request/record.ts'
import type { Beside } from './beside.ts'
import type { ClientHeaders } from './client-headers.ts'
import type { Prepared, PreparedTemplate } from './expression-types.ts'
import type { TlsHosts } from './tls-hosts.ts'

/** One worker's view of everything it runs; `table` is replaced whole, the rest lives on. */
export interface Runtime {
  table: PreparedTable
  readonly upstream: Upstream
  readonly limiter: Limiter
  /** Where each exchange's record goes, in this order. */
  readonly sinks: readonly RecordSink[]
  /** What this worker does beside its exchanges, each bounded. */
  readonly beside: Beside
  /** Where this data plane itself speaks TLS; null: it does not. */
  readonly httpsPort: number | null
  /** A phase or a sink threw: ours to mend. Logged, counted, and never shown to the client. */
  bug(error: unknown, exchange: Exchange): void
}

export interface PreparedTable {
  readonly hash: string
  readonly gateway: Gateway
  /** Null: nobody is trusted. */
  readonly trustedProxies: TrustedProxies | null
  /** Which of a client's headers may go upstream. */
  readonly clientHeaders: ClientHeaders
  readonly matcher: Matcher
  /** Null: no host has a certificate or a word on plain HTTP. */
  readonly tls: TlsHosts | null
}

export interface TrustedProxies {
  trust(address: string): 'trusted' | 'untrusted'
}

/** Sets rule, params and rest of the exchange, or says why there is none. */
export interface Matcher {
  match(exchange: Exchange): Failure | null
}

export interface PreparedRule {
  readonly route: string
  readonly name: string
  /** `namespace/route/rule`: key on the wire, and label of metrics. */
  readonly key: string
  /** Null: open. */
  readonly auth: PreparedAuth | Reject | null
  readonly limitsBeforeAuth: readonly PreparedLimit[] | null
  readonly limitsAfterAuth: readonly PreparedLimit[] | null
  readonly rewrite: { readonly path: PathRewrite | null; readonly host: string | null } | null
  readonly requestHeaders: PreparedHeaderEdits | null
  readonly responseHeaders: PreparedHeaderEdits | null
  readonly totalTimeoutMs: number
  readonly delivery: PreparedDelivery
  readonly action: PreparedAction
  readonly cors: PreparedCors | null
  readonly addresses: PreparedAddresses | null
  /** Of the request's body; null: no bound. */
  readonly bodyBytesMax: number | null
  readonly faults: Faults | null
  readonly mirror: PreparedMirror | null
  readonly compression: PreparedCompression | null
  readonly cache: Cache | null
}

/** A mirror that cannot be resolved gets no copies. */
export interface PreparedMirror {
  readonly backend: string
  readonly share: Share
}

/** Remove, set and add in one pass: what set replaces is removed, then both are appended. */
export interface PreparedHeaderEdits {
  /** Lower-case names: a few, for which a list is smaller and faster than a set. */
  readonly removed: readonly string[]
  /** The same, folded (client-headers.ts): of a request no other spelling of them may stay. */
  readonly removedFolded: readonly string[]
  readonly added: readonly PreparedHeader[]
}

export interface PreparedHeader {
  readonly name: string
  /** A constant where the template has no expression. */
  readonly value: string | PreparedTemplate
  readonly onFailure: 'remove' | 'refuse'
}

export type PreparedAction =
  | PreparedProxy
  | PreparedAggregate
  | PreparedRespond
  | PreparedRedirect
  | Rejected

/** A Reject of the table, or what this data plane could not prepare. */
export interface Rejected {
  readonly kind: 'reject'
  readonly status: Reject['status']
  readonly cause: RejectCause | 'rule-rejected'
  readonly because: string
}

export interface PreparedProxy {
  readonly kind: 'proxy'
  /** Tried in order; null where no backend has a `when`. */
  readonly conditional: readonly { readonly when: Prepared; readonly to: BackendTarget }[] | null
  /** The one backend where there is no choice; null where weights decide. */
  readonly single: BackendTarget | null
  /** Cumulative weights, ascending; the last is their sum. */
  readonly weighted: readonly { readonly upTo: number; readonly to: BackendTarget }[]
}

export interface PreparedRespond {
  readonly kind: 'respond'
  readonly status: number
  readonly headers: readonly PreparedHeader[]
  readonly body: Buffer | PreparedTemplate | null
}

export interface PreparedRedirect {
  readonly kind: 'redirect'
  readonly status: number
  readonly scheme: 'http' | 'https' | null
  readonly host: string | null
  readonly port: number | null
  readonly path: PathRewrite | null
}
