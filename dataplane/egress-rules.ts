/**
 * Whether a URL of a resource may lead to an address: what the operator has allowed, and what never
 * may be. Asked for each connection, with the address that it is about to go to.
 * Pinned by egress-rules.test.ts: "what is not allowed by name or range stays closed".
 */
import { type Cidr, inRange, parseAddress, parseCidr } from '#wire/address'
import { addressKind } from './egress-address.ts'

export interface Destination {
  readonly scheme: 'http' | 'https'
  /** As the URL names it: in lower case, without brackets and without a trailing dot. */
  readonly host: string
  readonly address: string
  readonly port: number
  /** `ownService`: the address is that of a Service in the namespace of the policy that asks. */
  readonly of: 'ownService' | 'anybody'
}

export interface EgressRules {
  /** `gateway.egressAllow`: host names (`*.example.com` for all below), addresses, CIDRs. */
  readonly allow: readonly string[]
  /** `allow` in `fairlead dev` only. */
  readonly loopback: 'allow' | 'refuse'
  /** Addresses and ports of our own listeners. */
  readonly own: { readonly addresses: readonly string[]; readonly ports: readonly number[] }
}

export type Permission =
  | { readonly kind: 'permitted' }
  /** Completes "The URL …"; names no address. */
  | { readonly kind: 'refused'; readonly because: string }

const PERMITTED: Permission = { kind: 'permitted' }

export function mayReach(destination: Destination, rules: EgressRules): Permission {
  const kind = addressKind(destination.address)
  if (kind === 'never') return refused('leads to an address that is never called')
  if (isOurs(destination, rules, kind === 'loopback')) return refused('leads to this data plane')
  switch (kind) {
    case 'loopback':
      return rules.loopback === 'allow' ? PERMITTED : refused('leads to this machine itself')
    case 'private':
      return isAllowed(destination, rules)
        ? PERMITTED
        : refused('leads to a private address that the gateway does not allow (egress.allow)')
    case 'public':
      return destination.scheme === 'https' || isAllowed(destination, rules)
        ? PERMITTED
        : refused('is plain http, which the gateway does not allow there (egress.allow)')
    default:
      return kind satisfies never
  }
}

function isOurs(destination: Destination, { own }: EgressRules, loopback: boolean): boolean {
  if (!own.ports.includes(destination.port)) return false
  return loopback || own.addresses.includes(destination.address)
}

function isAllowed({ host, address, of }: Destination, { allow }: EgressRules): boolean {
  if (of === 'ownService') return true
  const target = parseAddress(address)
  return allow.some((entry) => {
    const range = parseCidr(entry)
    return range === null ? names(entry.toLowerCase(), host) : holds(range, target)
  })
}

function holds(range: Cidr, address: ReturnType<typeof parseAddress>): boolean {
  return address !== null && inRange(address, range)
}

function names(entry: string, host: string): boolean {
  return entry.startsWith('*.') ? host.endsWith(entry.slice(1)) : entry === host
}

function refused(because: string): Permission {
  return { kind: 'refused', because }
}
