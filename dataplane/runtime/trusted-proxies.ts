/**
 * Whether the peer of a connection is one of the operator's proxies, whose word on where a request
 * came from is believed. Asked by the front for each request, so ranges are read when a table comes.
 * Pinned by trusted-proxies.test.ts: "only addresses of the ranges are trusted".
 */
import { type Cidr, inRange, parseAddress, parseCidr } from '#wire/address'
import type { TrustedProxies } from './runtime.ts'

/** Peers repeat: some load balancers make all connections. */
const ADDRESSES_MAX = 1_000

export type Ranges =
  | { readonly kind: 'ranges'; readonly trusted: TrustedProxies | null }
  | { readonly kind: 'refused'; readonly because: string }

/** Null: nobody is trusted. */
export function trustedProxies(ranges: readonly string[]): Ranges {
  const cidrs: Cidr[] = []
  for (const text of ranges) {
    const cidr = parseCidr(text)
    if (cidr === null) return { kind: 'refused', because: `trustedProxies: "${text}" is no range` }
    cidrs.push(cidr)
  }
  return { kind: 'ranges', trusted: cidrs.length === 0 ? null : new RangesOfProxies(cidrs) }
}

class RangesOfProxies implements TrustedProxies {
  readonly #ranges: readonly Cidr[]
  readonly #known = new Map<string, 'trusted' | 'untrusted'>()

  constructor(ranges: readonly Cidr[]) {
    this.#ranges = ranges
  }

  trust(address: string): 'trusted' | 'untrusted' {
    const before = this.#known.get(address)
    if (before !== undefined) return before
    const parsed = parseAddress(address)
    const inside = parsed !== null && this.#ranges.some((range) => inRange(parsed, range))
    if (this.#known.size >= ADDRESSES_MAX) this.#known.clear()
    const trust = inside ? 'trusted' : 'untrusted'
    this.#known.set(address, trust)
    return trust
  }
}
