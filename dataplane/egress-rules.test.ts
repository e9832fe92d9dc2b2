/**
 * Proves egress-rules.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Destination, type EgressRules, mayReach } from './egress-rules.ts'

function said(destination: Partial<Destination>, rules: Partial<EgressRules> = {}): string {
  const found = mayReach(
    {
      scheme: 'https',
      host: 'id.example.com',
      address: '8.8.8.8',
      port: 443,
      of: 'anybody',
      ...destination,
    },
    { allow: [], loopback: 'refuse', own: { addresses: ['10.0.0.5'], ports: [8080] }, ...rules },
  )
  return found.kind === 'permitted' ? 'permitted' : found.because
}

const PRIVATE = { host: 'id.internal.example.com', address: '10.1.2.3' }

test('what is not allowed by name or range stays closed', () => {
  assert.match(said(PRIVATE), /private/)
  assert.match(said(PRIVATE, { allow: ['other.internal.example.com', '10.2.0.0/16'] }), /private/)
  assert.match(said(PRIVATE, { allow: ['internal.example.com'] }), /private/)
  assert.match(said(PRIVATE, { allow: ['*.id.internal.example.com'] }), /private/)
  assert.equal(said(PRIVATE, { allow: ['ID.internal.example.com'] }), 'permitted')
  assert.equal(said(PRIVATE, { allow: ['*.internal.example.com'] }), 'permitted')
  assert.equal(said(PRIVATE, { allow: ['10.1.0.0/16'] }), 'permitted')
  assert.equal(said(PRIVATE, { allow: ['10.1.2.3'] }), 'permitted')
})

test('plain http is closed but where it is allowed', () => {
  const plain = { scheme: 'http', port: 80 } as const
  assert.equal(said({}), 'permitted')
  assert.match(said(plain), /plain http/)
  assert.equal(said(plain, { allow: ['id.example.com'] }), 'permitted')
  assert.equal(said(plain, { allow: ['8.8.8.0/24'] }), 'permitted')
})

test("a Service of the policy's own namespace may be private and plain, and nothing else", () => {
  const own = { of: 'ownService', scheme: 'http' } as const
  assert.equal(said({ ...own, address: '10.96.0.7' }), 'permitted')
  assert.equal(said({ ...own, address: '8.8.8.8' }), 'permitted')
  assert.match(said({ ...own, address: '169.254.169.254' }), /never called/)
  assert.match(said({ ...own, address: '127.0.0.1' }), /this machine/)
  assert.match(said({ ...own, address: '10.0.0.5', port: 8080 }), /this data plane/)
})

test('loopback is for development alone, and our own ports for nobody', () => {
  const here = { scheme: 'http', host: 'localhost', address: '127.0.0.1', port: 5556 } as const
  assert.match(said(here), /this machine/)
  assert.match(said(here, { allow: ['localhost', '127.0.0.0/8'] }), /this machine/)
  assert.equal(said(here, { loopback: 'allow' }), 'permitted')
  assert.match(said({ ...here, port: 8080 }, { loopback: 'allow' }), /this data plane/)
  assert.match(
    said({ ...here, address: '::1', port: 8080 }, { loopback: 'allow' }),
    /this data plane/,
  )
  const ourselves = { address: '10.0.0.5', port: 8080 }
  assert.match(said(ourselves, { allow: ['10.0.0.0/8'] }), /this data plane/)
  assert.equal(said({ ...ourselves, port: 9090 }, { allow: ['10.0.0.0/8'] }), 'permitted')
})

test('metadata services are never reached, whatever is allowed', () => {
  const allow = ['0.0.0.0/0', '::/0', 'metadata.google.internal', '169.254.169.254']
  for (const address of ['169.254.169.254', 'fd00:ec2::254', '::ffff:169.254.169.254', 'fe80::1']) {
    const destination = { host: 'metadata.google.internal', address }
    assert.match(said(destination, { allow, loopback: 'allow' }), /never/)
  }
})

test('a reason names no address', () => {
  for (const address of ['10.1.2.3', '127.0.0.1', '169.254.169.254']) {
    assert.doesNotMatch(said({ address }), /\d+\.\d+/)
  }
})
