/**
 * The table: everything that a data plane executes, as plain JSON. The controller compiles it, the
 * wire carries it object by object, the runtime prepares it. A leaf: types and constants only.
 * Pinned by test/wire/recorded.test.ts: "a recorded session replays to the same table".
 *
 * The table is a map of objects. Each has a kind, a key that is unique within its kind, the
 * resources it was made from, and a value. Objects refer to each other by key within one table; a
 * reference that does not resolve is a protocol error, found by `check` before anything is swapped.
 */

import type { AggregateAction } from './aggregate.ts'
import type { Circuit, Health } from './delivery.ts'
import type { ApiKey, Authenticate, Authorize, Consumer, Deny, Forward, RuleAuth } from './auth.ts'
import type { Limit } from './rate-limit.ts'
import type { Traffic } from './traffic.ts'
import type {
  BackendTarget,
  Expression,
  HeaderEdits,
  HeaderTemplate,
  Reject,
  Source,
  Template,
} from './value.ts'

/** Raised when a data plane of the previous minor version could no longer execute a table. */
export const WIRE_VERSION = 1

// ---- hosts and rules ------------------------------------------------------------------------

/**
 * One host of the gateway with the matches of all its rules in final precedence. Key: the host as
 * written (`shop.example.com`, `*.shop.example.com`, or `*` for any host).
 */
export interface Host {
  /** The namespace that owns the host. A host falls through only to wider hosts of the same one. */
  readonly namespace: string
  readonly entries: readonly HostEntry[]
}

export interface HostEntry {
  /** Key of a rule. */
  readonly rule: string
  /** Index into that rule's `matches`. */
  readonly match: number
}

/** One rule of one route. Key: `namespace/route/rule`. */
export interface Rule extends Traffic {
  /** `namespace/name` of the ApiRoute. */
  readonly route: string
  /** The rule's name, unique in its route. */
  readonly name: string
  readonly matches: readonly Match[]
  readonly auth: RuleAuth
  /** Keys of limits, in the order in which they are taken. */
  readonly limits: readonly string[]
  readonly rewrite: Rewrite | null
  readonly requestHeaders: HeaderEdits | null
  readonly responseHeaders: HeaderEdits | null
  /** From the first byte of the request to the last of the answer's head; 504 after it. */
  readonly totalTimeoutMs: number
  readonly action: Action
}

export interface Match {
  /** Upper-case method, or null for any. GET does not imply HEAD. */
  readonly method: string | null
  readonly path: PathPattern
  readonly headers: readonly HeaderPredicate[]
  readonly queryParams: readonly ValuePredicate[]
  /** The last predicate to run. Failing at run time answers 500 `expression-failed`. */
  readonly when: Expression | null
}

export type PathPattern =
  | { readonly kind: 'any' }
  | {
      readonly kind: 'segments'
      /** After the leading slash; a trailing slash is a last literal ''. `/` is one literal ''. */
      readonly segments: readonly PathSegment[]
      /** `exact`: nothing more. `below`: the path itself, with a slash, and all below it (`/**`). */
      readonly end: 'exact' | 'below'
    }
  /** RE2 over the whole canonical path (anchored at both ends); named groups become params. */
  | { readonly kind: 'regex'; readonly pattern: string }

/** Literals are in canonical form (see path.ts); a param takes exactly one non-empty segment. */
export type PathSegment = { readonly literal: string } | { readonly param: string }

/** `name`: header names in lower case; query names percent-decoded, case kept. */
export interface ValuePredicate {
  readonly name: string
  readonly test:
    | { readonly kind: 'exact'; readonly value: string }
    | { readonly kind: 'prefix'; readonly value: string }
    | { readonly kind: 'regex'; readonly pattern: string }
    | { readonly kind: 'present' }
}
export type HeaderPredicate = ValuePredicate

/** Names the parameters that the path, the query and the host take after matching. */
export interface Rewrite {
  /** Null keeps the canonical path as it is. */
  readonly path: PathRewrite | null
  /** Null keeps the Host of the request (in lower case, without the port of the listener). */
  readonly host: string | null
}

/** A path built from literal parts, captured params, and what `/**` matched (`rest`). */
export type PathRewrite = readonly (
  | { readonly literal: string }
  | { readonly param: string }
  | { readonly rest: true }
)[]

export type Action =
  | { readonly kind: 'proxy'; readonly backends: readonly WeightedBackend[] }
  | AggregateAction
  | {
      readonly kind: 'respond'
      readonly status: number
      readonly headers: readonly HeaderTemplate[]
      readonly body: Template | null
    }
  | {
      readonly kind: 'redirect'
      readonly status: 301 | 302 | 303 | 307 | 308
      readonly scheme: 'http' | 'https' | null
      readonly host: string | null
      readonly port: number | null
      readonly path: PathRewrite | null
    }
  | Reject

export interface WeightedBackend {
  /** The first entry whose `when` is true takes the request; entries without one share by weight. */
  readonly when: Expression | null
  readonly weight: number
  readonly to: BackendTarget
}

/**
 * A Service port. Key: `namespace/service:port`, or with `@namespace/name` behind it where it is that
 * of an ApiBackend: equal ones of different ApiBackends share nothing. Its endpoints come by their
 * own lane and are never part of the table.
 */
export interface Backend {
  readonly protocol: 'http' | 'h2c'
  /** Used with endpoints from disk that are too old: `host:port`, or null where there is none. */
  readonly clusterAddress: string | null
  readonly circuit?: Circuit
  readonly health?: Health
}

// ---- the gateway ----------------------------------------------------------------------------

/** One per table. Key: `namespace/name` of the ApiGateway. */
export interface Gateway {
  /** CIDRs whose X-Forwarded-* are believed. */
  readonly trustedProxies: readonly string[]
  /** Hosts, CIDRs: private or plain-http destinations that URLs of resources may name. */
  readonly egressAllow: readonly string[]
  /** Ready data planes that share a local limit; at least 1. */
  readonly dataPlanes: number
  /** Where data planes must listen; absent: as their own settings say. */
  readonly listeners?: readonly Listener[]
}

export interface Listener {
  readonly port: number
  readonly protocol: 'http' | 'https'
}

/** Never printed, never in the table file: it has a file of its own. Key: `namespace/name:key`. */
export interface SecretValue {
  readonly base64: string
}

// ---- TLS ------------------------------------------------------------------------------------

/** A chain of certificates. Key: `namespace/name` of the Secret that it comes from. */
export interface Certificate {
  /** PEM, the leaf first. */
  readonly chain: string
  /** Key of the secret that holds its private key. */
  readonly privateKey: string
  /** DNS names that it is for: lower case, exact or with one leading wildcard label. */
  readonly names: readonly string[]
}

/** How a host is reached. Key: as of Host, but never without one beside it that names the same. */
export interface HostTls {
  /** Keys of certificates; none: TLS clients that ask for the host are refused. */
  readonly certificates: readonly string[]
  /** What a request over plain HTTP gets. */
  readonly http: 'redirect' | 'serve' | 'refuse'
}

// ---- objects --------------------------------------------------------------------------------

export interface ValueOf {
  readonly gateway: Gateway
  readonly host: Host
  readonly rule: Rule
  readonly backend: Backend
  readonly authenticate: Authenticate
  readonly authorize: Authorize
  readonly forward: Forward
  readonly deny: Deny
  readonly limit: Limit
  readonly consumer: Consumer
  readonly apiKey: ApiKey
  readonly secret: SecretValue
  readonly certificate: Certificate
  readonly tls: HostTls
}
export type ObjectKind = keyof ValueOf

/** In the order in which a snapshot is sent. */
export const OBJECT_KINDS = [
  'gateway',
  'backend',
  'secret',
  'certificate',
  'consumer',
  'apiKey',
  'authenticate',
  'authorize',
  'forward',
  'deny',
  'limit',
  'rule',
  'host',
  'tls',
] as const satisfies readonly ObjectKind[]

export type TableObject = {
  [K in ObjectKind]: {
    readonly kind: K
    readonly key: string
    readonly sources: readonly Source[]
    readonly value: ValueOf[K]
    /** Hex SHA-256 over JSON.stringify([kind, key, sources, value]). */
    readonly digest: string
  }
}[ObjectKind]

/** All objects of one gateway, by `objectId(kind, key)`. */
export interface Table {
  readonly objects: ReadonlyMap<string, TableObject>
  /** Hex; the XOR of all digests: it changes with any object and needs no walk over the others. */
  readonly hash: string
}

export function objectId(kind: ObjectKind, key: string): string {
  return `${kind} ${key}`
}
