/**
 * The table of all kinds: what the manifests are made of, what decoders look up, what `kubectl get`
 * prints. A kind that is not here does not exist.
 * Pinned by emit.test.ts: "every kind has a manifest and every manifest a kind".
 */
import type { TSchema } from 'typebox'
import { ApiBackendSchema, type ApiBackendSpec } from './api-backend.ts'
import { ApiGatewaySchema, type ApiGatewaySpec } from './api-gateway.ts'
import { ApiKeySchema, type ApiKeySpec } from './api-key.ts'
import { ApiRouteSchema, type ApiRouteSpec } from './api-route.ts'
import { AuthPolicySchema, type AuthPolicySpec } from './auth-policy.ts'
import { ConsumerSchema, type ConsumerSpec } from './consumer.ts'
import { LastValidSchema, type LastValidSpec } from './last-valid.ts'
import { RateLimitPolicySchema, type RateLimitPolicySpec } from './rate-limit-policy.ts'
import { ReferenceGrantSchema, type ReferenceGrantSpec } from './reference-grant.ts'
import { BasicStatusSchema, PolicyStatusSchema, RouteStatusSchema } from './status.ts'

export interface SpecOf {
  readonly ApiGateway: ApiGatewaySpec
  readonly ApiRoute: ApiRouteSpec
  readonly AuthPolicy: AuthPolicySpec
  readonly RateLimitPolicy: RateLimitPolicySpec
  readonly Consumer: ConsumerSpec
  readonly ApiKey: ApiKeySpec
  readonly ApiBackend: ApiBackendSpec
  readonly LastValid: LastValidSpec
  readonly ReferenceGrant: ReferenceGrantSpec
}
export type CrdKind = keyof SpecOf

export interface PrinterColumn {
  readonly name: string
  readonly type: 'string' | 'date' | 'integer'
  readonly description: string
  readonly jsonPath: string
}

export interface KindFacts {
  readonly kind: CrdKind
  readonly group: string
  /** The first is served and stored; the others are only read from files. */
  readonly versions: readonly [string, ...string[]]
  readonly plural: string
  readonly shortNames: readonly string[]
  readonly scope: 'Namespaced'
  readonly about: string
  readonly spec: TSchema
  /** Null: nobody reports on it. */
  readonly status: TSchema | null
  readonly columns: readonly PrinterColumn[]
  readonly annotations: Readonly<Record<string, string>>
}

export const GROUP = 'fairlead.dev'
export const VERSION = 'v1alpha1'

const AGE: PrinterColumn = {
  name: 'Age',
  type: 'date',
  description: 'Since when it exists.',
  jsonPath: '.metadata.creationTimestamp',
}

function column(name: string, jsonPath: string, description: string): PrinterColumn {
  return { name, type: 'string', description, jsonPath }
}

function condition(type: string, field: 'status' | 'reason'): string {
  return `.status.conditions[?(@.type=="${type}")].${field}`
}

const ACCEPTED = column(
  'Accepted',
  condition('Accepted', 'status'),
  'Whether what is written is valid.',
)
const PROGRAMMED = column(
  'Programmed',
  condition('Programmed', 'status'),
  'Whether every data plane runs it.',
)
/** Programmed says NotAccepted where Accepted has the reason: so both are shown. */
const REASONS = [
  column('Reason', condition('Accepted', 'reason'), 'Why it is accepted or not.'),
  column('Rollout', condition('Programmed', 'reason'), 'Why it is programmed or not.'),
] as const
const VERDICT = [ACCEPTED, PROGRAMMED, ...REASONS] as const

const OWN = {
  group: GROUP,
  versions: [VERSION],
  scope: 'Namespaced',
  annotations: {},
} as const

export const KINDS: { readonly [K in CrdKind]: KindFacts & { readonly kind: K } } = {
  ApiGateway: {
    ...OWN,
    kind: 'ApiGateway',
    plural: 'apigateways',
    shortNames: ['flgw'],
    about: 'A named set of data planes, and what its operator allows.',
    spec: ApiGatewaySchema,
    status: BasicStatusSchema,
    columns: [
      ...VERDICT,
      column('InSync', condition('DataPlanesInSync', 'status'), 'Whether all run the newest.'),
      AGE,
    ],
  },
  ApiRoute: {
    ...OWN,
    kind: 'ApiRoute',
    plural: 'apiroutes',
    shortNames: ['flroute'],
    about: 'Hosts, and the rules that take their requests.',
    spec: ApiRouteSchema,
    status: RouteStatusSchema,
    columns: [column('Hosts', '.spec.hosts', 'Hosts; none: any.'), ...VERDICT, AGE],
  },
  AuthPolicy: {
    ...OWN,
    kind: 'AuthPolicy',
    plural: 'authpolicies',
    shortNames: ['flauth'],
    about: 'Who may call the targets, and what backends learn of the caller.',
    spec: AuthPolicySchema,
    status: PolicyStatusSchema,
    columns: [
      column('Target', '.spec.targetRefs[0].name', 'Name of the first target.'),
      ...VERDICT,
      AGE,
    ],
  },
  RateLimitPolicy: {
    ...OWN,
    kind: 'RateLimitPolicy',
    plural: 'ratelimitpolicies',
    shortNames: ['flrate'],
    about: 'How much of the targets may be used per time or at once.',
    spec: RateLimitPolicySchema,
    status: PolicyStatusSchema,
    columns: [
      column('Target', '.spec.targetRefs[0].name', 'Name of the first target.'),
      ...VERDICT,
      AGE,
    ],
  },
  Consumer: {
    ...OWN,
    kind: 'Consumer',
    plural: 'consumers',
    shortNames: ['flconsumer'],
    about: 'The one who is billed and limited, and how credentials lead to it.',
    spec: ConsumerSchema,
    status: BasicStatusSchema,
    columns: [
      column('Display', '.spec.displayName', 'Name for people.'),
      column('State', '.spec.state', 'Active or Suspended; none: Active.'),
      ...VERDICT,
      AGE,
    ],
  },
  ApiKey: {
    ...OWN,
    kind: 'ApiKey',
    plural: 'apikeys',
    shortNames: ['flkey'],
    about: 'The hash of a key, and whose it is. It holds no secret and can live in Git.',
    spec: ApiKeySchema,
    status: BasicStatusSchema,
    columns: [
      column('Consumer', '.spec.consumerRef.name', 'Whose key it is.'),
      column('Expires', '.spec.expiresAt', 'When it ends; none: never.'),
      ...VERDICT,
      AGE,
    ],
  },
  ApiBackend: {
    ...OWN,
    kind: 'ApiBackend',
    plural: 'apibackends',
    shortNames: ['flbackend'],
    about: 'A Service, with what is to hold for requests to it.',
    spec: ApiBackendSchema,
    status: BasicStatusSchema,
    columns: [column('Service', '.spec.service.name', 'Who answers.'), ...VERDICT, AGE],
  },
  LastValid: {
    ...OWN,
    kind: 'LastValid',
    plural: 'lastvalids',
    shortNames: ['fllast'],
    about: 'The controller’s memory of a spec that was valid. Nobody else writes it.',
    spec: LastValidSchema,
    status: null,
    columns: [
      column('Kind', '.spec.of.kind', 'Kind of the object.'),
      column('Name', '.spec.of.name', 'Name of the object.'),
      {
        name: 'Generation',
        type: 'integer',
        description: 'The generation that was valid.',
        jsonPath: '.spec.of.generation',
      },
      AGE,
    ],
  },
  ReferenceGrant: {
    kind: 'ReferenceGrant',
    group: 'gateway.networking.k8s.io',
    versions: ['v1beta1', 'v1'],
    plural: 'referencegrants',
    shortNames: ['refgrant'],
    scope: 'Namespaced',
    about:
      'Who from other namespaces may refer to what in this one. This is Fairlead’s minimal reading of Gateway API’s kind, for clusters without Gateway API: do not install it where Gateway API is installed.',
    spec: ReferenceGrantSchema,
    status: null,
    columns: [AGE],
    annotations: {
      'api-approved.kubernetes.io':
        'unapproved, minimal copy for clusters without Gateway API; install the original instead where you can',
    },
  },
}
