/**
 * The seams between the story of compile and the steps that know one concern each: what a rule, a
 * part of a policy, a Consumer and an ApiKey become. Types only: `route.ts`, `auth.ts`, `limit.ts`
 * and `consumer.ts` provide functions of these types, `compile.ts` and its steps call them.
 *
 * A step sees the snapshot through the recording reader alone, returns the best value there is with
 * all problems found, and never throws. Problems whose reason is in OWN_REASONS mean that the object
 * is invalid in itself: an update with one of them leaves its last valid spec in force.
 * Pinned by last-valid.test.ts: "an invalid update keeps the whole last valid spec".
 */
import type { ApiBackendSpec } from '../../crds/api-backend.ts'
import type { ApiKeySpec } from '../../crds/api-key.ts'
import type { RouteRule } from '../../crds/api-route.ts'
import type { AuthPolicyPart } from '../../crds/auth-policy.ts'
import type { ConsumerSpec } from '../../crds/consumer.ts'
import type { RateLimitPolicyPart } from '../../crds/rate-limit-policy.ts'
import type { ConditionReason } from '../../crds/condition.ts'
import type { ApiKey, Authenticate, Authorize, Consumer, Deny, Forward } from '#wire/auth'
import type { Limit } from '#wire/rate-limit'
import type { Action, Backend, Match, Rewrite } from '#wire/table'
import type { Traffic } from '#wire/traffic'
import type { HeaderEdits } from '#wire/value'
import type { Checked, FieldPath } from './problem.ts'
import type { Reader } from './reader.ts'
import type { Kind, Resource, SecretBytes } from './snapshot.ts'

/**
 * Wrong in itself, whatever other objects say. All other reasons speak of other objects: they never
 * bring back a last valid spec, because other objects are always today's.
 */
export const OWN_REASONS: ReadonlySet<ConditionReason> = new Set<ConditionReason>([
  'Invalid',
  'InvalidExpression',
  'NotSupportedYet',
  'TooExpensive',
  'UnknownField',
])

/** Where a step stands: the namespace of the object it compiles, and its view of the others. */
export interface StepWithin {
  readonly namespace: string
  readonly reader: Reader
  readonly grants: Grants
}

/** The one judge of references to other namespaces (resolve.ts). */
export interface Grants {
  /**
   * Null: it may be used (same namespace, or a ReferenceGrant in the other one). Otherwise the
   * sentence for a RefNotPermitted problem, which says what to create there.
   */
  refusal(from: ReferenceFrom, to: ReferenceTo): string | null
}

export interface ReferenceFrom {
  readonly kind: 'ApiBackend' | 'ApiRoute' | 'AuthPolicy' | 'RateLimitPolicy' | 'ApiKey'
  readonly namespace: string
}

export interface ReferenceTo {
  readonly kind: Kind
  readonly namespace: string
  /** Null: any object of that kind there (consumers of a whole namespace). */
  readonly name: string | null
}

// ---- route.ts -------------------------------------------------------------------------------

export type CompileRule = (
  rule: RouteRule,
  at: FieldPath<RouteRule>,
  within: RuleWithin,
) => Checked<CompiledRule>

export type RuleWithin = StepWithin

export interface CompiledRule {
  /**
   * All that could be compiled. A rule that cannot be used has `action` reject (rule-invalid) and
   * as many of these as there are, so that it answers for itself instead of falling through.
   */
  readonly matches: readonly Match[]
  readonly rewrite: Rewrite | null
  readonly requestHeaders: HeaderEdits | null
  readonly responseHeaders: HeaderEdits | null
  readonly totalTimeoutMs: number
  readonly traffic: Traffic
  readonly action: Action
  /** Every backend that the action names, by its key. */
  readonly backends: ReadonlyMap<string, Backend>
}

// ---- auth.ts --------------------------------------------------------------------------------

/** One of `defaults` (also written bare) and `overrides` of an AuthPolicy. */
export type CompileAuthPart = (
  part: AuthPolicyPart,
  at: FieldPath<AuthPolicyPart>,
  within: StepWithin,
) => Checked<AuthParts>

export interface AuthParts {
  /** Null: the part does not state it. */
  readonly authenticate: Authenticate | null
  /** By entry name, without the disabled ones. */
  readonly authorize: ReadonlyMap<string, Authorize>
  /** Names of `authorize` entries that are only `{ disabled: true }`. */
  readonly disabled: readonly string[]
  readonly forward: Forward | null
  readonly deny: Deny | null
  /** Secrets that the entries name, by the key of the table object: `namespace/name:key`. */
  readonly secrets: ReadonlyMap<string, SecretBytes>
  /** `no`: it cannot be enforced as written, so its targets answer 503 `policy-invalid`. */
  readonly usable: 'yes' | 'no'
}

// ---- limit.ts -------------------------------------------------------------------------------

export type CompileLimitPart = (
  part: RateLimitPolicyPart,
  at: FieldPath<RateLimitPolicyPart>,
  within: LimitWithin,
) => Checked<LimitParts>

export interface LimitWithin extends StepWithin {
  /** `namespace/name` of the policy: `policy` of its limits. */
  readonly policy: string
}

export interface LimitParts {
  readonly limits: ReadonlyMap<string, Limit>
  readonly disabled: readonly string[]
  readonly usable: 'yes' | 'no'
}

// ---- consumer.ts ----------------------------------------------------------------------------

/** Null: it cannot be used, and nobody is this consumer. */
export type CompileConsumer = (
  spec: ConsumerSpec,
  at: FieldPath<ConsumerSpec>,
  resource: Resource,
) => Checked<Consumer | null>

/** Null: it cannot be used, and the key opens nothing. */
export type CompileApiKey = (
  spec: ApiKeySpec,
  at: FieldPath<ApiKeySpec>,
  within: StepWithin,
) => Checked<ApiKey | null>

// ---- api-backend.ts -------------------------------------------------------------------------

/** Null: it cannot be used, and what is to go there fails. */
export type CompileApiBackend = (
  spec: ApiBackendSpec,
  at: FieldPath<ApiBackendSpec>,
  within: BackendWithin,
) => Checked<CompiledApiBackend | null>

export interface BackendWithin extends StepWithin {
  /** Of the ApiBackend. */
  readonly name: string
}

export interface CompiledApiBackend {
  /** `namespace/service:port@namespace/name`. */
  readonly key: string
  readonly backend: Backend
}

/** What compile is made of, so that its own tests can hold single steps still. */
export interface Steps {
  readonly compileRule: CompileRule
  readonly compileAuthPart: CompileAuthPart
  readonly compileLimitPart: CompileLimitPart
  readonly compileConsumer: CompileConsumer
  readonly compileApiKey: CompileApiKey
  readonly compileApiBackend: CompileApiBackend
}
