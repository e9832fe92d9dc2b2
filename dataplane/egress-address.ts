/**
 * What kind of address a name has led to: whether a URL that somebody wrote into a resource may
 * reach it depends on it. Every way in which IPv6 can spell an IPv4 address counts as that one.
 * Pinned by egress-address.test.ts: "no spelling of an address changes its kind".
 */
import { type Address, inRange, parseAddress, parseCidr } from '#wire/address'

/**
 * never: link-local and with it the metadata services of clouds, multicast, broadcast, reserved,
 * unspecified, tunnels · private: only where the operator says so · public: everything else.
 */
export type AddressKind = 'public' | 'private' | 'loopback' | 'never'

function ranges(texts: readonly string[]): readonly NonNullable<ReturnType<typeof parseCidr>>[] {
  return texts.flatMap((text) => parseCidr(text) ?? [])
}

const LOOPBACK = ranges(['127.0.0.0/8', '::1/128'])

const NEVER = ranges([
  '0.0.0.0/8',
  '169.254.0.0/16', // link-local; 169.254.169.254 is the metadata service of most clouds
  '100.100.100.200/32', // Alibaba Cloud's
  '168.63.129.16/32', // Azure's
  '192.0.0.192/32', // Oracle Cloud's
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
  'fd00:ec2::/32', // AWS's metadata service
  'fd20:ce::/32', // Google Cloud's
  '2001::/32', // Teredo and 6to4 lead to IPv4 addresses by way of strangers
  '2002::/16',
  '100::/64',
])

const PRIVATE = ranges([
  '10.0.0.0/8',
  '100.64.0.0/10',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  'fc00::/7',
  '2001:db8::/32',
  '64:ff9b:1::/48',
])

/** IPv6 prefixes behind which the last 32 bits are an IPv4 address. */
const EMBEDDING = ranges(['::/96', '64:ff9b::/96', '::ffff:0:0:0/96'])

/** Text that is no address is `never`. */
export function addressKind(text: string): AddressKind {
  const address = parseAddress(text)
  return address === null ? 'never' : kindOf(address)
}

function kindOf(address: Address): AddressKind {
  if (isIn(address, LOOPBACK)) return 'loopback'
  if (isIn(address, NEVER)) return 'never'
  if (address.kind === 'v6' && isIn(address, EMBEDDING)) {
    return kindOf({ kind: 'v4', bits: (address.words[3] ?? 0) >>> 0 })
  }
  return isIn(address, PRIVATE) ? 'private' : 'public'
}

function isIn(address: Address, list: typeof NEVER): boolean {
  return list.some((range) => inRange(address, range))
}
