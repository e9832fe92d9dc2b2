/**
 * Where each watched kind lives in the Kubernetes API.
 * Proved by test/cluster/walk.test.ts.
 */
import type { Kind } from '../compile/snapshot.ts'

export interface WatchedKind {
  readonly kind: Kind
  /** API path up to the resource, without namespace. */
  readonly api: string
  readonly plural: string
  readonly scope: 'Namespaced' | 'Cluster'
  /** What to do where the API server does not know the kind: nothing of it exists then. */
  readonly whenUnknown: 'fail' | 'empty'
}

const OWN = '/apis/fairlead.dev/v1alpha1'

function own(kind: Kind, plural: string): WatchedKind {
  return { kind, api: OWN, plural, scope: 'Namespaced', whenUnknown: 'fail' }
}

export const SECRETS: WatchedKind = {
  kind: 'Secret',
  api: '/api/v1',
  plural: 'secrets',
  scope: 'Namespaced',
  whenUnknown: 'fail',
}

export const WATCHED_KINDS: readonly WatchedKind[] = [
  own('ApiGateway', 'apigateways'),
  own('ApiRoute', 'apiroutes'),
  own('AuthPolicy', 'authpolicies'),
  own('RateLimitPolicy', 'ratelimitpolicies'),
  own('Consumer', 'consumers'),
  own('ApiKey', 'apikeys'),
  own('ApiBackend', 'apibackends'),
  own('LastValid', 'lastvalids'),
  {
    kind: 'ReferenceGrant',
    api: '/apis/gateway.networking.k8s.io/v1beta1',
    plural: 'referencegrants',
    scope: 'Namespaced',
    whenUnknown: 'empty',
  },
  { kind: 'Service', api: '/api/v1', plural: 'services', scope: 'Namespaced', whenUnknown: 'fail' },
  {
    kind: 'EndpointSlice',
    api: '/apis/discovery.k8s.io/v1',
    plural: 'endpointslices',
    scope: 'Namespaced',
    whenUnknown: 'fail',
  },
  {
    kind: 'Namespace',
    api: '/api/v1',
    plural: 'namespaces',
    scope: 'Cluster',
    whenUnknown: 'fail',
  },
  SECRETS,
]

/** Path of all objects of a kind, or of those of one namespace. */
export function collectionPath(watched: WatchedKind, namespace: string | null): string {
  return namespace === null || watched.scope === 'Cluster'
    ? `${watched.api}/${watched.plural}`
    : `${watched.api}/namespaces/${namespace}/${watched.plural}`
}
