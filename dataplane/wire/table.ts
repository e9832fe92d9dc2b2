/**
 * The table: everything that a data plane executes, as plain JSON. The controller compiles it, the
 * wire carries it object by object, the runtime prepares it. A leaf: types and constants only.
 * Pinned by test/wire: "every released table still decodes".
 *
 * The table is a map of objects. Each has a kind, a key that is unique within its kind, the
 * resources it was made from, and a value. Objects refer to each other by key within one table; a
 * reference that does not resolve is a protocol error, found by `check` before anything is swapped.
 */

/** Raised when a data plane of the previous minor version could no longer execute a table. */
export const WIRE_VERSION = 1

/** Values that can appear in bodies and fallbacks. Numbers keep JSON's own range. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json }

/** The resource and the generation of it that a table object was made from. */
export interface Source {
  readonly kind: string
  /** `namespace/name` */
  readonly name: string
  readonly uid: string
  readonly generation: number
}

/** A CEL expression as written, already parsed and checked by the controller. */
export type Expression = string

/** Text with holes: literal parts and expressions in the order of the text. Never empty. */
export type Template = readonly (string | { readonly expr: Expression })[]

/**
 * A JSON document with holes. `template` with exactly one expression part keeps that value's type;
 * with more it is a string.
 */
export type TemplateTree =
  | { readonly kind: 'value'; readonly value: Json }
  | { readonly kind: 'template'; readonly template: Template }
  | {
      readonly kind: 'object'
      readonly fields: readonly { readonly name: string; readonly tree: TemplateTree }[]
    }
  | { readonly kind: 'list'; readonly items: readonly TemplateTree[] }

export interface HeaderValue {
  /** Lower-case field name. */
  readonly name: string
  readonly value: string
}

export interface HeaderTemplate {
  /** Lower-case field name. */
  readonly name: string
  readonly value: Template
  /** What a value that cannot be computed does: the header is left out, or the request gets 403. */
  readonly onFailure: 'remove' | 'refuse'
}

/** Applied in this order: remove, set (replaces all of that name), add. */
export interface HeaderEdits {
  readonly remove: readonly string[]
  readonly set: readonly HeaderTemplate[]
  readonly add: readonly HeaderTemplate[]
}

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
export interface Rule {
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

/** What stands where something unusable would: it answers, visibly, with the reason. */
export interface Reject {
  readonly kind: 'reject'
  readonly status: 500 | 503
  /** Word of x-fairlead-cause. */
  readonly cause: RejectCause
  /** Sentence shown to the client; names no secret and no address. */
  readonly because: string
}

export const REJECT_CAUSES = [
  'rule-invalid', // 500: the rule itself cannot be executed and no last valid spec is known
  'backend-invalid', // 500: this share of the backends cannot be resolved
  'policy-missing', // 503: no authentication applies and the rule is not public
  'policy-invalid', // 503: a policy that targets the rule cannot be enforced
] as const
export type RejectCause = (typeof REJECT_CAUSES)[number]

export interface WeightedBackend {
  /** The first entry whose `when` is true takes the request; entries without one share by weight. */
  readonly when: Expression | null
  readonly weight: number
  readonly to: BackendTarget
}

export type BackendTarget = { readonly kind: 'backend'; readonly backend: string } | Reject

/**
 * A Service port. Key: `namespace/service:port`. Its endpoints come by their own lane and are
 * never part of the table.
 */
export interface Backend {
  readonly protocol: 'http' | 'h2c'
  /** Used with endpoints from disk that are too old: `host:port`, or null where there is none. */
  readonly clusterAddress: string | null
}

// ---- authentication -------------------------------------------------------------------------

export type RuleAuth =
  /** `public: true` and no policy attaches. */
  | { readonly kind: 'open' }
  | {
      readonly kind: 'policy'
      /** Key of the `authenticate` unit in force; null where the rule is public and none attaches. */
      readonly authenticate: string | null
      /** Keys of `authorize` entries; all must hold, those with CEL before external ones. */
      readonly authorize: readonly string[]
      readonly forward: string | null
      readonly deny: string | null
    }
  | Reject

/** Key: `namespace/policy/defaults` or `namespace/policy/overrides`; likewise Forward and Deny. */
export interface Authenticate {
  readonly entries: readonly AuthenticateEntry[]
}

/** Where a credential may be. A scheme is compared without case (RFC 9110 section 11.1). */
export type Carrier =
  | { readonly kind: 'header'; readonly name: string; readonly scheme: string | null }
  | { readonly kind: 'cookie'; readonly name: string }
  | { readonly kind: 'queryParam'; readonly name: string }

export type AuthenticateEntry = JwtEntry | ApiKeyEntry | AnonymousEntry

export interface JwtEntry {
  readonly kind: 'jwt'
  /** The entry's name in the policy: `auth.method` in expressions. */
  readonly name: string
  readonly from: readonly Carrier[]
  readonly issuer: string
  /** One of them must be in `aud`. Empty: `aud` is not looked at. */
  readonly audiences: readonly string[]
  readonly algorithms: readonly JwtAlgorithm[]
  readonly clockSkewMs: number
  readonly requiredClaims: readonly string[]
  readonly expiry: 'required' | 'optional'
  readonly keys: JwtKeys
}

export type JwtKeys =
  /** `<issuer>/.well-known/openid-configuration` names the key set. */
  | { readonly kind: 'discovery' }
  | { readonly kind: 'jwksUri'; readonly uri: string }
  /** Public keys (RFC 7517), as written. */
  | { readonly kind: 'inline'; readonly keys: readonly { readonly [name: string]: Json }[] }

/** Asymmetric only: a public key must never be usable as an HMAC secret. */
export const JWT_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number]

export interface ApiKeyEntry {
  readonly kind: 'apiKey'
  readonly name: string
  readonly from: readonly Carrier[]
  /** Consumers whose keys are accepted: in one of these namespaces, with these labels. */
  readonly namespaces: readonly string[]
  readonly selector: LabelSelector
  readonly formats: readonly ('fairlead' | 'imported')[]
  /** Key of the secret with the pepper of imported keys; null without that format. */
  readonly pepper: string | null
}

/** All must hold; empty lists hold always. */
export interface LabelSelector {
  readonly matchLabels: readonly { readonly name: string; readonly value: string }[]
  readonly matchExpressions: readonly {
    readonly name: string
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
    readonly values: readonly string[]
  }[]
}

export interface AnonymousEntry {
  readonly kind: 'anonymous'
  readonly name: string
}

/** Key: `namespace/policy/entry`. */
export interface Authorize {
  readonly scopes: readonly string[]
  readonly require: Expression | null
  readonly when: Expression | null
  readonly deny: DenyAnswer
}

export interface DenyAnswer {
  readonly status: number
  /** Word of x-fairlead-cause; the user may choose one for `authorize` entries. */
  readonly cause: string
  readonly detail: string
}

export interface Forward {
  readonly headers: readonly HeaderTemplate[]
  readonly credential: 'strip' | 'keep'
}

/** Null keeps the built-in answer. */
export interface Deny {
  readonly unauthenticated: { readonly detail: string } | null
  readonly forbidden: { readonly detail: string } | null
}

/** Key: `namespace/name`. */
export interface Consumer {
  readonly namespace: string
  readonly name: string
  readonly displayName: string
  readonly labels: { readonly [name: string]: string }
  readonly state: 'Active' | 'Suspended'
  readonly groups: readonly string[]
  readonly externalIds: { readonly [name: string]: string }
  readonly identities: readonly {
    readonly issuer: string
    readonly claim: string
    readonly value: string
  }[]
}

/** Key: `namespace/name`. Of two resources with one hash only the older is in the table. */
export interface ApiKey {
  /** Key of the Consumer. */
  readonly consumer: string
  /** Lower-case hex of SHA-256 over the key (fairlead), or of HMAC-SHA-256 with the pepper. */
  readonly sha256: string
  readonly format: 'fairlead' | 'imported'
  /** Milliseconds since 1970, or null: does not expire. */
  readonly expiresAtMs: number | null
}

// ---- limits ---------------------------------------------------------------------------------

/** Key: `namespace/policy/entry`. The bucket belongs to it unless `per` says otherwise. */
export interface Limit {
  readonly policy: string
  readonly name: string
  readonly per: 'policy' | 'route' | 'rule'
  readonly stage: 'beforeAuth' | 'afterAuth'
  readonly mode: 'enforce' | 'observe'
  /** Null: one bucket for all. */
  readonly key: Expression | null
  readonly onMissingKey: 'refuse' | 'shared'
  /** Null: always applies. A failure at run time makes it apply. */
  readonly when: Expression | null
  readonly measure:
    | {
        readonly kind: 'rate'
        /** Null: 1. A failure costs 1, a negative value 0. */
        readonly cost: Expression | null
        readonly rate: Rate
        /** The first whose `when` is true replaces `rate`. */
        readonly rates: readonly { readonly when: Expression; readonly rate: Rate }[]
      }
    | { readonly kind: 'concurrency'; readonly max: number }
}

/** `count` per `periodMs`, of which up to `burst` may come at once. */
export interface Rate {
  readonly count: number
  readonly periodMs: number
  readonly burst: number
}

// ---- aggregation ----------------------------------------------------------------------------

export interface AggregateAction {
  readonly kind: 'aggregate'
  readonly deadlineMs: number
  readonly callsMax: number
  readonly concurrencyMax: number
  readonly totalBytesMax: number
  readonly errors: { readonly field: string; readonly detail: 'none' | 'summary' | 'full' }
  /** In an order in which every call comes after those it depends on. */
  readonly calls: readonly Call[]
  readonly response: {
    /** A whole number template or literal; null: 200. */
    readonly status: Template | null
    readonly headers: readonly HeaderTemplate[]
    readonly body: TemplateTree
  }
}

export interface Call {
  readonly name: string
  /** Names of calls that must be settled first: inferred from expressions, and `after`. */
  readonly dependsOn: readonly string[]
  readonly when: Expression | null
  readonly forEach: ForEach | null
  readonly backend: BackendTarget
  readonly method: string
  readonly path: CallPath
  readonly headers: {
    readonly forward: readonly ('identity' | 'trace')[]
    readonly set: readonly HeaderTemplate[]
  }
  readonly body: TemplateTree | null
  readonly timeoutMs: number | null
  readonly expect: {
    /** Inclusive ranges. */
    readonly statuses: readonly { readonly from: number; readonly to: number }[]
    readonly contentType: string | null
  }
  /** Null: the call is required, its failure decides the answer. */
  readonly fallback:
    | { readonly kind: 'none' }
    | { readonly kind: 'value'; readonly value: Json }
    | null
}

/** Only literal text holds `/ ? # &`; every hole is one segment, or one query name or value. */
export interface CallPath {
  readonly segments: readonly Template[]
  readonly query: readonly { readonly name: Template; readonly value: Template }[]
}

export interface ForEach {
  readonly in: Expression
  /** Variable that holds the item in the call's own expressions. */
  readonly as: string
  /** With it the result is a map, without it a list. */
  readonly key: Expression | null
  readonly max: number
  readonly concurrency: number
  readonly overflow: 'fail' | 'truncate'
  readonly onItemError: 'fail' | 'fallback' | 'omit'
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
}

/** Never printed, never in the table file: it has a file of its own. Key: `namespace/name:key`. */
export interface SecretValue {
  readonly base64: string
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
}
export type ObjectKind = keyof ValueOf

/** In the order in which a snapshot is sent. */
export const OBJECT_KINDS = [
  'gateway',
  'backend',
  'secret',
  'consumer',
  'apiKey',
  'authenticate',
  'authorize',
  'forward',
  'deny',
  'limit',
  'rule',
  'host',
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
