/**
 * Who owns a host of a gateway: the namespaces that a grant names, else (`firstCome`) that of the
 * oldest accepted route naming it. The owner of a wildcard owns what is below it, except what a grant
 * or an older route of another namespace names. A pure function of claims and grants.
 * Pinned by ownership.test.ts: "the owner is the one that the plain statement names".
 */
import { type Aged, olderFirst } from './precedence.ts'

/** For routes without hosts. Owned like any other, but it gives nothing below it. */
export const ANY_HOST = '*'

/** One route that names a host. */
export interface Claim extends Aged {
  /** A route of which nothing is valid owns a host only where no other wants it. */
  readonly standing: 'accepted' | 'broken'
}

export interface HostRules {
  /** host → namespaces. A wildcard covers all below it, `*` only routes without hosts. */
  readonly grants: ReadonlyMap<string, readonly string[]>
  readonly ungranted: 'firstCome' | 'refuse'
}

export type Claims = (host: string) => readonly Claim[]

export interface Ownership {
  /** Null: nobody may have it. */
  readonly namespace: string | null
  /** Why not others, and what they can do. */
  readonly because: string
}

export function ownerOf(host: string, claims: Claims, rules: HostRules): Ownership {
  const grant = grantOver(host, rules)
  if (grant === null && rules.ungranted === 'refuse') {
    const because = `No grant of the gateway covers ${quoted(host)}; ask its operator for one.`
    return { namespace: null, because }
  }
  const first = firstOf(candidates(host, grant, claims, rules))
  if (grant !== null) return granted(host, grant, first)
  if (first === null) return { namespace: null, because: `Nobody names ${quoted(host)}.` }
  return {
    namespace: first.namespace,
    because: `${quoted(host)} belongs to namespace ${first.namespace}, whose route ${first.namespace}/${first.name} is older; use another host, or ask the operator for a grant.`,
  }
}

function granted(host: string, grant: Grant, first: Claim | null): Ownership {
  const names = grant.namespaces.join(', ')
  return {
    namespace: first?.namespace ?? null,
    because: `${quoted(host)} is granted to ${names} by the gateway (${quoted(grant.host)})${
      first === null ? '' : ` and belongs to namespace ${first.namespace}`
    }; use another host, or ask the operator for a grant.`,
  }
}

function quoted(host: string): string {
  return host === ANY_HOST ? '"*" (routes without hosts)' : `"${host}"`
}

interface Grant {
  readonly host: string
  readonly namespaces: readonly string[]
}

/** The most specific grant that covers the host. */
function grantOver(host: string, rules: HostRules): Grant | null {
  for (const wider of [host, ...wildcardsOver(host)]) {
    const namespaces = rules.grants.get(wider)
    if (namespaces !== undefined) return { host: wider, namespaces }
  }
  return null
}

/**
 * All claims on the host and on wildcards over it. A wildcard that is wider than the grant gives
 * nothing here. That a claim on a wildcard may itself have lost does not matter: it lost to an older
 * one, on a host that covers this one as well.
 */
function candidates(
  host: string,
  grant: Grant | null,
  claims: Claims,
  rules: HostRules,
): readonly Claim[] {
  const hosts = [host, ...wildcardsOver(host)]
  if (grant === null) return hosts.flatMap(claims)
  return hosts
    .filter((wider) => grantOver(wider, rules)?.host === grant.host)
    .flatMap(claims)
    .filter((claim) => grant.namespaces.includes(claim.namespace))
}

function firstOf(claims: readonly Claim[]): Claim | null {
  let first: Claim | null = null
  for (const claim of claims) if (first === null || precedes(claim, first)) first = claim
  return first
}

function precedes(a: Claim, b: Claim): boolean {
  if (a.standing !== b.standing) return a.standing === 'accepted'
  return olderFirst(a, b) < 0
}

/** `a.b.c` and `*.b.c` → `*.c` …, nearest first. Nothing is over `*`, and it is over nothing. */
export function wildcardsOver(host: string): readonly string[] {
  if (host === ANY_HOST) return []
  const bare = host.startsWith('*.') ? host.slice(2) : host
  const wider: string[] = []
  for (let dot = bare.indexOf('.'); dot !== -1; dot = bare.indexOf('.', dot + 1)) {
    wider.push(`*${bare.slice(dot)}`)
  }
  return wider
}
