/**
 * Client addresses.
 */
import assert from 'node:assert/strict'
import { BlockList, isIPv6 } from 'node:net'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Addresses } from '#wire/traffic'
import { fakeExchange } from '../../test/fake/exchange.ts'
import { fakeRule } from '../../test/fake/rule.ts'
import { addresses, prepareAddresses } from './addresses.ts'

function judged(spec: Addresses, ip: string): string {
  const { exchange } = fakeExchange({ ip })
  exchange.rule = fakeRule({ addresses: prepareAddresses(spec) })
  const outcome = addresses(exchange)
  return outcome.kind === 'fail' ? outcome.cause : outcome.kind
}

function contains(ranges: readonly string[], ip: string): boolean {
  const list = new BlockList()
  for (const range of ranges) {
    const [start = '', bits] = range.split('/')
    list.addSubnet(start, Number(bits), isIPv6(start) ? 'ipv6' : 'ipv4')
  }
  return list.check(ip, isIPv6(ip) ? 'ipv6' : 'ipv4')
}

function plain({ allow, deny }: Addresses, ip: string): string {
  const isServed = !contains(deny, ip) && (allow === null || contains(allow, ip))
  return isServed ? 'continue' : 'address-refused'
}

const someRanges = fc.subarray([
  '10.0.0.0/8',
  '10.6.0.0/16',
  '10.6.6.6/32',
  '192.0.2.0/25',
  '2001:db8::/32',
  '2001:db8:1::/64',
  '0.0.0.0/0',
])
const someIps = fc.constantFrom(
  '10.6.6.6',
  '10.6.6.7',
  '10.7.0.1',
  '192.0.2.127',
  '192.0.2.128',
  '2001:db8:1::9',
  '2001:db9::',
)

test('an address is served as the plain twin says', () => {
  const spec = fc.record({ allow: fc.option(someRanges), deny: someRanges })
  fc.assert(fc.property(spec, someIps, (one, ip) => assert.equal(judged(one, ip), plain(one, ip))))
})

test('deny wins, an IPv4 address inside IPv6 is itself, and what is no address is refused', () => {
  const spec = { allow: ['10.0.0.0/8'], deny: ['10.6.6.6/32'] }
  assert.equal(judged(spec, '10.6.6.6'), 'address-refused')
  assert.equal(judged(spec, '::ffff:10.6.6.6'), 'address-refused')
  assert.equal(judged(spec, '::ffff:10.6.6.7'), 'continue')
  assert.equal(judged({ allow: null, deny: [] }, 'unknown'), 'address-refused')
})
