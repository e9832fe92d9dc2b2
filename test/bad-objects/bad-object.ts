/**
 * An object that must be refused, and what must be said: the same by a folder (crds/decode) and by a
 * real API server with our manifests. Each is one step away from a good one.
 */
import type { CrdKind } from '../../crds/kinds.ts'

export interface BadObject {
  /** What is wrong; unique over all lists. */
  readonly name: string
  readonly kind: CrdKind
  readonly object: { readonly [field: string]: unknown }
  /** Where the decoder says so. */
  readonly path: string
  /** A part of its sentence. */
  readonly says: string
  readonly reason: 'Invalid' | 'UnknownField'
  /** Where the API server differs. */
  readonly inCluster: InCluster
}

export type InCluster =
  /** It says the same sentence: a rule of ours in CEL. */
  | { readonly kind: 'same' }
  /** Its own words about structure. */
  | { readonly kind: 'own'; readonly says: string; readonly path?: string }
  /** It takes it; what it stores is judged by compile. */
  | { readonly kind: 'taken'; readonly because: string }

export const UNSEEN: InCluster = {
  kind: 'taken',
  because: 'free-form content is kept as it is, and CEL does not see it',
}

export const DROPPED: InCluster = {
  kind: 'taken',
  because: 'a null where a value belongs is dropped before anything is checked',
}

type Spec = { readonly [field: string]: unknown }

export const SAME: InCluster = { kind: 'same' }

export function own(says: string, path?: string): InCluster {
  return path === undefined ? { kind: 'own', says } : { kind: 'own', says, path }
}

const NAMESPACE = 'default'

export function objectOf(kind: CrdKind, spec: unknown): { readonly [field: string]: unknown } {
  const group = kind === 'ReferenceGrant' ? 'gateway.networking.k8s.io/v1beta1' : OWN
  const metadata = { name: 'example', namespace: NAMESPACE }
  return { apiVersion: group, kind, metadata, spec }
}
const OWN = 'fairlead.dev/v1alpha1'

interface Verdict {
  readonly path: string
  readonly says: string
  readonly reason?: 'UnknownField'
  readonly inCluster?: InCluster
}

export function bad(kind: CrdKind, name: string, spec: unknown, verdict: Verdict): BadObject {
  const { path, says, reason = 'Invalid', inCluster = SAME } = verdict
  return { name, kind, object: objectOf(kind, spec), path, says, reason, inCluster }
}

// ---- the good ones that the bad ones are made from ------------------------------------------

export const BACKENDS = [{ service: { name: 'books', port: 80 } }]

/** A good rule with changes; `undefined` removes a field. */
export function rule(changes: Spec): Spec {
  return changed({ name: 'all', match: [{ path: '/books/**' }], backends: BACKENDS }, changes)
}

export function routeOf(...rules: readonly unknown[]): Spec {
  return { hosts: ['shop.example.com'], rules }
}

export function badRule(name: string, changes: Spec, verdict: Verdict): BadObject {
  return bad('ApiRoute', name, routeOf(rule(changes)), verdict)
}

export function badMatch(name: string, match: unknown, verdict: Verdict): BadObject {
  const path = verdict.path === '' ? MATCH : `${MATCH}${verdict.path}`
  return badRule(name, { match: [match] }, { ...verdict, path })
}
const MATCH = 'spec.rules[0].match[0]'

export function badRoute(name: string, changes: Spec, verdict: Verdict): BadObject {
  return bad('ApiRoute', name, changed(routeOf(rule({})), changes), verdict)
}

const CALL = { backend: { service: { name: 'orders', port: 80 } }, path: '/orders' }

export function call(changes: Spec): Spec {
  return changed(CALL, changes)
}

export function badAggregate(name: string, changes: Spec, verdict: Verdict): BadObject {
  const good = { calls: { order: CALL }, response: { body: '${calls.order.body}' } }
  const aggregate = changed(good, changes)
  const path = verdict.path.replace('~', 'spec.rules[0].aggregate')
  return badRule(name, { backends: undefined, aggregate }, { ...verdict, path })
}

/** `~` in the path stands for the call. */
export function badCall(name: string, changes: Spec, verdict: Verdict): BadObject {
  const path = verdict.path.replace('~', '~.calls.order')
  return badAggregate(name, { calls: { order: call(changes) } }, { ...verdict, path })
}

const TARGETS = [{ kind: 'ApiRoute', name: 'shop' }]

export function policy(fields: Spec): Spec {
  return { targetRefs: TARGETS, ...fields }
}

/** `~` in the path stands for the entry. */
export function badAuthenticate(name: string, entry: unknown, verdict: Verdict): BadObject {
  const path = verdict.path.replace('~', 'spec.authenticate.staff')
  return bad('AuthPolicy', name, policy({ authenticate: { staff: entry } }), { ...verdict, path })
}

export function badAuthorize(name: string, entry: unknown, verdict: Verdict): BadObject {
  const path = verdict.path.replace('~', 'spec.authorize.readers')
  return bad('AuthPolicy', name, policy({ authorize: { readers: entry } }), { ...verdict, path })
}

export function badLimit(name: string, entry: unknown, verdict: Verdict): BadObject {
  const path = verdict.path.replace('~', 'spec.limits.all')
  return bad('RateLimitPolicy', name, policy({ limits: { all: entry } }), { ...verdict, path })
}

export function changed(good: Spec, changes: Spec): Spec {
  const all = Object.entries({ ...good, ...changes })
  return Object.fromEntries(all.filter(([, value]) => value !== undefined))
}
