/**
 * Addresses and ranges, beside node's own reading of them.
 */
import assert from 'node:assert/strict'
import { BlockList, isIP } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { inRange, parseAddress, parseCidr } from './address.ts'

const v6 = fc.oneof(
  fc.ipV6(),
  fc.ipV4().map((ip) => `::ffff:${ip}`),
  fc.constantFrom('::', '::1', '1::', '2001:db8::1', '1:2:3:4:5:6:7:8', '1::8', '::1.2.3.4'),
)

test("an address lies in a range as node's BlockList says", () => {
  const near = fc.tuple(fc.nat(3), fc.nat(255)).map(([a, b]) => `10.${a}.0.${b}`)
  fc.assert(
    fc.property(fc.oneof(near, fc.ipV4()), near, fc.integer({ min: 1, max: 32 }), (ip, net, p) => {
      const list = new BlockList()
      list.addSubnet(net, p, 'ipv4')
      assert.equal(inside(ip, `${net}/${p}`), list.check(ip, 'ipv4'))
    }),
  )
  fc.assert(
    fc.property(v6, v6, fc.integer({ min: 1, max: 128 }), (ip, net, p) => {
      if (isV4(ip) || isV4(net)) return // BlockList keeps mapped addresses apart in part
      const list = new BlockList()
      list.addSubnet(net, p, 'ipv6')
      assert.equal(inside(ip, `${net}/${p}`), list.check(ip, 'ipv6'))
    }),
  )
})

test('what is an address is what node says it is', () => {
  const wild = fc.stringMatching(/^[0-9a-f:.]{1,20}$/)
  fc.assert(
    fc.property(fc.oneof(wild, v6, fc.ipV4(), fc.string()), (text) => {
      if (text.includes('%')) return
      assert.equal(parseAddress(text) !== null, isIP(text) !== 0, text)
    }),
    { numRuns: 3000 },
  )
})

test('an IPv4 address inside IPv6 is the IPv4 address', () => {
  assert.equal(inside('::ffff:10.1.2.3', '10.0.0.0/8'), true)
  assert.equal(inside('10.1.2.3', '::ffff:10.0.0.0/104'), true)
  assert.equal(inside('11.1.2.3', '::ffff:10.0.0.0/104'), false)
  assert.equal(inside('10.0.0.1', '::/0'), false)
  assert.equal(inside('fe80::1%eth0', 'fe80::/10'), true)
})

test('a range that is not one is refused', () => {
  const bad = ['', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/08', '10.0.0/8', '::/129', '1/2/3', 'x']
  for (const text of [...bad, '::ffff:10.0.0.0/24', '010.0.0.0/8', '10.0.0.0/', 'fe80::%1/10']) {
    assert.equal(parseCidr(text), null, text)
  }
  assert.equal(inside('10.0.0.1', '10.0.0.1'), true)
  assert.equal(inside('192.0.2.1', '0.0.0.0/0'), true)
})

function isV4(ip: string): boolean {
  return parseAddress(ip)?.kind === 'v4'
}

function inside(ip: string, range: string): boolean {
  const address = parseAddress(ip)
  const cidr = parseCidr(range)
  assert.ok(address !== null && cidr !== null)
  return inRange(address, cidr)
}
