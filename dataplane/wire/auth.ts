/**
 * How a rule authenticates and authorises: the objects that AuthPolicy, Consumer and ApiKey
 * resources become in a table.
 */
import type { Expression, HeaderTemplate, Json, Reject } from './value.ts'

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
  /**
   * Likewise, but the URL names a Service of the policy's own namespace: it is called at the Service's
   * cluster addresses and nowhere else, private and plain http as they may be.
   */
  | {
      readonly kind: 'service'
      /** Null: discovered. */
      readonly uri: string | null
      readonly addresses: readonly string[]
    }
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

/**
 * `detail` of an entry that states none: of one with `require`, of one with `scopes`. Only these
 * texts give way to the policy's `deny.forbidden`, which is less specific than what an entry says
 * for itself.
 */
export const DENY_DETAIL = 'The policy of this API does not permit this.'
export const SCOPES_DETAIL = 'The credential lacks a scope that this needs.'

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
  /**
   * Namespaces of Consumers to which an older key with this hash leads: where a policy accepts one of
   * these too, this key counts for nothing. Absent: none.
   */
  readonly yieldsTo?: readonly string[]
}
