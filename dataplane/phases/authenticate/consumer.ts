/**
 * From the claims of a verified token to the Consumer that they name, and from a Consumer to what
 * expressions and backends see of the caller.
 * Pinned by consumer.test.ts: "a token that two Consumers claim names neither".
 */
import type { Consumer } from '#wire/auth'
import type { Directory } from '../../runtime/prepare.ts'
import { stringsOf } from './claims.ts'
import type { StrictObject, StrictValue } from './strict-json.ts'

/**
 * A token of the issuer names whoever states one of its claims with just that value. Only Consumers
 * of the policy's own namespace count: whoever writes one elsewhere must neither take a token over
 * nor lend its groups to it.
 */
export function consumerOf(
  directory: Directory,
  namespace: string,
  issuer: string,
  claims: StrictObject,
): Consumer | null | 'ambiguous' {
  let found: Consumer | null = null
  for (const claim of directory.claimsOf(issuer)) {
    const value = identityText(claims[claim])
    if (value === null) continue
    for (const consumer of directory.consumersOf(issuer, claim, value)) {
      if (consumer.namespace !== namespace) continue
      if (found !== null && found !== consumer) return 'ambiguous'
      found = consumer
    }
  }
  return found
}

/** Numbers count as they are written: some issuers number their clients. */
function identityText(value: StrictValue | undefined): string | null {
  switch (typeof value) {
    case 'string':
      return value
    case 'bigint':
      return `${value}`
    case 'number':
      return Number.isSafeInteger(value) ? `${value}` : null
    default:
      return null
  }
}

const NO_GROUPS: readonly string[] = []

/** Of the Consumer and of the token, each once. */
export function groupsOf(consumer: Consumer | null, claims: StrictObject): readonly string[] {
  const own = consumer?.groups ?? NO_GROUPS
  const claimed = stringsOf(claims['groups'])
  if (claimed.length === 0) return own
  return [...new Set([...own, ...claimed])]
}

export function consumerKey(consumer: Consumer): string {
  return `${consumer.namespace}/${consumer.name}`
}
