/**
 * Refuses clients by their address, as the front has found it (behind trusted proxies: the first one
 * that is none). The first thing that is asked of a request once its rule is known: whoever may not
 * come is told nothing else.
 * Pinned by addresses.test.ts: "an address is served as the plain twin says".
 */
import assert from 'node:assert/strict'
import { type Cidr, inRange, parseAddress, parseCidr } from '#wire/address'
import type { Addresses } from '#wire/traffic'
import type { Exchange } from '../request/exchange.ts'
import { fail } from '../request/failure.ts'
import { CONTINUE, type Outcome } from '../request/outcome.ts'

export interface PreparedAddresses {
  /** Null: all. */
  readonly allow: readonly Cidr[] | null
  readonly deny: readonly Cidr[]
}

/** The contract has refused what is no range. */
export function prepareAddresses({ allow, deny }: Addresses): PreparedAddresses {
  return { allow: allow === null ? null : ranges(allow), deny: ranges(deny) }
}

function ranges(texts: readonly string[]): readonly Cidr[] {
  return texts.flatMap((text) => parseCidr(text) ?? [])
}

const REFUSED = 'This route does not serve the address that the request comes from.'

export function addresses({ rule, ip }: Exchange): Outcome {
  assert(rule !== null, 'match has set the rule')
  if (rule.addresses === null) return CONTINUE
  const { allow, deny } = rule.addresses
  const address = parseAddress(ip)
  const isServed =
    address !== null &&
    !deny.some((range) => inRange(address, range)) &&
    (allow === null || allow.some((range) => inRange(address, range)))
  return isServed ? CONTINUE : fail('address-refused', REFUSED)
}
