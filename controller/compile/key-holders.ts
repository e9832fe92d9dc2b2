/**
 * Which ApiKeys open, of those with one hash. Among the Consumers of one namespace it is the oldest
 * whose Consumer can be used. No other namespace takes part in that: whoever has seen a hash in
 * another team's Git must neither shut its key out nor get its callers. Where one policy accepts
 * several of these namespaces, only that of the oldest key counts, also while that key cannot be
 * used, has expired, or leads to a suspended Consumer.
 * Pinned by key-holders.test.ts: "in a namespace nothing depends on what others write".
 */
import type { ApiKey } from '#wire/auth'
import type { SimpleInForce } from './in-force.ts'
import { olderFirst } from './precedence.ts'
import { keyOf, namesOf } from './resolve.ts'
import type { Resource } from './snapshot.ts'

/** An ApiKey that is valid by itself. */
export interface Claim {
  readonly resource: Resource
  readonly value: ApiKey
  /** Of its Consumer. */
  readonly namespace: string
}

export interface Holder {
  /** `namespace/name` of the ApiKey. */
  readonly key: string
  /** Of its Consumer. */
  readonly namespace: string
  readonly yieldsTo: readonly string[]
}

export function claimOf(found: SimpleInForce<ApiKey> | null): Claim | null {
  if (found === null || found.value === null) return null
  const { resource, value } = found
  return { resource, value, namespace: namesOf(value.consumer).namespace }
}

/** By hash. */
export function sortedClaims(claims: readonly Claim[]): ReadonlyMap<string, readonly Claim[]> {
  const byHash = new Map<string, Claim[]>()
  for (const claim of claims) {
    const others = byHash.get(claim.value.sha256)
    if (others === undefined) byHash.set(claim.value.sha256, [claim])
    else others.push(claim)
  }
  for (const all of byHash.values()) {
    if (all.length > 1) all.sort((a, b) => olderFirst(a.resource, b.resource))
  }
  return byHash
}

/** Of one hash, oldest claim first; at most one for each namespace. */
export function holdersOf(
  claims: readonly Claim[],
  isUsable: (consumer: string) => boolean,
): readonly Holder[] {
  const namespaces = [...new Set(claims.map(({ namespace }) => namespace))]
  return namespaces.flatMap((namespace, position) => {
    const found = claims.find(
      (claim) => claim.namespace === namespace && isUsable(claim.value.consumer),
    )
    if (found === undefined) return []
    const key = keyOf(found.resource.namespace, found.resource.name)
    return [{ key, namespace, yieldsTo: namespaces.slice(0, position).toSorted() }]
  })
}
