/**
 * Origins.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { corsOf } from '../../../test/fake/cors.ts'
import { judgeOrigin, prepareCors } from './prepared.ts'

/** As section 4 of the design says of hosts: a star covers one or more labels. */
function plain(patterns: readonly string[], origin: string): boolean {
  return patterns.some((pattern) => {
    if (pattern === '*' || pattern === origin) return true
    if (!pattern.includes('*.')) return false
    const [before = '', after = ''] = pattern.split('*')
    const escaped = (text: string): string => text.replaceAll(/[.]/g, '[.]')
    const labels = '[a-z0-9_-]+([.][a-z0-9_-]+)*'
    return new RegExp(`^${escaped(before)}${labels}${escaped(after)}$`).test(origin)
  })
}

const hosts = fc
  .array(fc.constantFrom('a', 'b', 'example', 'com', '', 'evil/', '@'), { maxLength: 4 })
  .map((labels) => labels.join('.'))
const ports = fc.constantFrom('', ':8443', ':1')
const origins = fc
  .tuple(fc.constantFrom('https://', 'http://', ''), hosts, ports)
  .map((parts) => parts.join(''))
const patterns = fc.constantFrom(
  'https://a.example.com',
  'https://*.example.com',
  'https://*.com:8443',
  'http://*.a',
  'null',
)

test('an origin is allowed as the plain twin says', () => {
  fc.assert(
    fc.property(fc.array(patterns, { minLength: 1, maxLength: 3 }), origins, (some, origin) => {
      const cors = prepareCors(corsOf({ origins: some }))
      assert.equal(judgeOrigin(cors, origin) === 'allowed', plain(some, origin), origin)
    }),
    { numRuns: 5_000 },
  )
})

test('a star covers labels and nothing else, and never the domain itself', () => {
  const cors = prepareCors(corsOf({ origins: ['https://*.example.com'] }))
  assert.equal(judgeOrigin(cors, 'https://a.b.example.com'), 'allowed')
  for (const origin of [
    'https://example.com',
    'https://.example.com',
    'https://evilexample.com',
    'https://a.example.com.evil.com',
    'https://evil.com/.example.com',
    'https://a.example.com:8443',
    'http://a.example.com',
    'https://a.example.com, https://b.example.com',
  ]) {
    assert.equal(judgeOrigin(cors, origin), 'refused', origin)
  }
})
