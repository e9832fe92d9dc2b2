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

export interface Claims {
  readonly on: (host: string) => readonly Claim[]
  /** `none`: no wildcard is claimed, so that hosts need not be looked for above themselves. */
  readonly wildcards: 'some' | 'none'
}

export interface Ownership {
  /** Null: nobody may have it. */
  readonly namespace: string | null
  /** The route that the namespace owns it by. */
  readonly first: Claim | null
  /** The grant that decides, if any. */
  readonly grant: Grant | null
}

export interface Grant {
  readonly host: string
  readonly namespaces: readonly string[]
}

export function ownerOf(host: string, claims: Claims, rules: HostRules): Ownership {
  const grant = grantOver(host, rules)
  if (grant === null && rules.ungranted === 'refuse') {
    return { namespace: null, first: null, grant }
  }
  const first = firstOf(candidates(host, grant, claims, rules))
  return { namespace: first?.namespace ?? null, first, grant }
}

/** Told to whoever names the host and does not own it. */
export function refusalOf(host: string, { grant, first }: Ownership): string {
  const ask = 'use another host, or ask the operator of the gateway for a grant.'
  const owner = first === null ? null : `${first.namespace}/${first.name}`
  if (grant !== null) {
    const names = grant.namespaces.join(', ')
    const held = owner === null ? '' : ` (by route ${owner})`
    return `${quoted(host)} is granted to ${names}${held} by ${quoted(grant.host)}; ${ask}`
  }
  if (first === null) return `No grant of the gateway covers ${quoted(host)}; ${ask}`
  return `${quoted(host)} belongs to namespace ${first.namespace}, whose route ${owner} is older; ${ask}`
}

function quoted(host: string): string {
  return host === ANY_HOST ? '"*" (routes without hosts)' : `"${host}"`
}

/** The most specific grant that covers the host. */
function grantOver(host: string, rules: HostRules): Grant | null {
  if (rules.grants.size === 0) return null
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
  if (claims.wildcards === 'none' && grant === null) return claims.on(host)
  const hosts = [host, ...wildcardsOver(host)]
  if (grant === null) return hosts.flatMap(claims.on)
  return hosts
    .filter((wider) => grantOver(wider, rules)?.host === grant.host)
    .flatMap(claims.on)
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
