/**
 * Proves egress-address.ts.
 */
import assert from 'node:assert/strict'
import { BlockList, isIPv4 } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { type AddressKind, addressKind } from './egress-address.ts'

const KINDS: readonly (readonly [AddressKind, readonly string[]])[] = [
  ['public', ['1.1.1.1', '8.8.8.8', '172.32.0.1', '192.169.0.1', '100.128.0.1', '2606:4700::1']],
  ['private', ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', 'fd00::1']],
  ['loopback', ['127.0.0.1', '127.255.255.254', '::1', '::ffff:127.0.0.1', '::127.0.0.1']],
  ['never', ['169.254.169.254', '169.254.0.1', 'fe80::1', 'fe80::1%eth0', 'fd00:ec2::254']],
  ['never', ['0.0.0.0', '255.255.255.255', '224.0.0.1', 'ff02::1', '::', '100.100.100.200']],
  ['never', ['168.63.129.16', '192.0.0.192', '2002:7f00:1::', '2001::1', 'not an address', '']],
  [
    'never',
    ['::ffff:169.254.169.254', '64:ff9b::169.254.169.254', '::a9fe:a9fe', '0x7f.1', '127.1'],
  ],
  ['private', ['::ffff:10.0.0.1', '64:ff9b::10.0.0.1']],
  ['public', ['64:ff9b::8.8.8.8']],
]

for (const [kind, addresses] of KINDS) {
  for (const address of addresses) {
    test(`${address || 'nothing'} is ${kind}`, () => {
      assert.equal(addressKind(address), kind)
    })
  }
}

/** The plain twin for IPv4, by node's own lists. */
function plain(address: string): AddressKind {
  const list = (ranges: readonly (readonly [string, number])[]): BlockList => {
    const found = new BlockList()
    for (const [start, prefix] of ranges) found.addSubnet(start, prefix)
    return found
  }
  const loopback = list([['127.0.0.0', 8]])
  const never = list([
    ['0.0.0.0', 8],
    ['169.254.0.0', 16],
    ['224.0.0.0', 3],
    ['100.100.100.200', 32],
    ['168.63.129.16', 32],
    ['192.0.0.192', 32],
  ])
  const inside = list([
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
  ])
  if (loopback.check(address)) return 'loopback'
  if (never.check(address)) return 'never'
  return inside.check(address) ? 'private' : 'public'
}

test('no spelling of an address changes its kind', () => {
  const first = fc.constantFrom(0, 10, 100, 127, 169, 172, 192, 198, 203, 224, 240, 255, 8)
  const byte = fc.oneof(fc.constantFrom(0, 16, 31, 64, 100, 168, 254), fc.nat(255))
  fc.assert(
    fc.property(first, byte, byte, byte, (a, b, c, d) => {
      const address = `${a}.${b}.${c}.${d}`
      assert.ok(isIPv4(address))
      const kind = plain(address)
      const hex = (one: number, two: number): string => (one * 256 + two).toString(16)
      assert.equal(addressKind(address), kind)
      assert.equal(addressKind(`::ffff:${address}`), kind)
      assert.equal(addressKind(`::FFFF:${hex(a, b)}:${hex(c, d)}`), kind)
      assert.equal(addressKind(`0:0:0:0:0:ffff:${hex(a, b)}:${hex(c, d)}`), kind)
      assert.equal(addressKind(`64:ff9b::${address}`), kind)
      assert.equal(addressKind(`2002:${hex(a, b)}:${hex(c, d)}::1`), 'never')
    }),
  )
})
