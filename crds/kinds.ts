/**
 * The table of all kinds: what the manifests are made of, what decoders look up, what `kubectl get`
 * prints. A kind that is not here does not exist.
 * Pinned by emit.test.ts: "every kind has a manifest and every manifest a kind".
 */
import type { ApiGatewaySpec } from './api-gateway.ts'
import type { ApiKeySpec } from './api-key.ts'
import type { ApiRouteSpec } from './api-route.ts'
import type { AuthPolicySpec } from './auth-policy.ts'
import type { ConsumerSpec } from './consumer.ts'
import type { LastValidSpec } from './last-valid.ts'
import type { RateLimitPolicySpec } from './rate-limit-policy.ts'
import type { ReferenceGrantSpec } from './reference-grant.ts'

export const GROUP = 'fairlead.dev'
export const VERSION = 'v1alpha1'
export const API_VERSION = `${GROUP}/${VERSION}`

export interface SpecOf {
  readonly ApiGateway: ApiGatewaySpec
  readonly ApiRoute: ApiRouteSpec
  readonly AuthPolicy: AuthPolicySpec
  readonly RateLimitPolicy: RateLimitPolicySpec
  readonly Consumer: ConsumerSpec
  readonly ApiKey: ApiKeySpec
  readonly LastValid: LastValidSpec
  readonly ReferenceGrant: ReferenceGrantSpec
}
export type CrdKind = keyof SpecOf
