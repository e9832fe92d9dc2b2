/**
 * Proves how the Host of a request is read.
 */
import assert from 'node:assert/strict'
import { isIPv6 } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { readHost } from './host.ts'

/** The same, label by label. */
function plain(value: string): string | null {
  const isLiteral = value.startsWith('[')
  const end = isLiteral ? value.indexOf(']') + 1 : value.indexOf(':')
  if (isLiteral && end === 0) return null
  const name = end <= 0 ? value : value.slice(0, end)
  if (!isPlainPort(end <= 0 ? '' : value.slice(end))) return null
  return isLiteral ? plainLiteral(name) : plainName(name)
}

function isPlainPort(rest: string): boolean {
  if (rest === '' || rest === ':') return true
  const port = rest.slice(1)
  return rest.startsWith(':') && /^\d+$/.test(port) && port.length < 6 && Number(port) < 65_536
}

function plainLiteral(name: string): string | null {
  return isIPv6(name.slice(1, -1)) && !name.includes('%') ? name.toLowerCase() : null
}

function plainName(name: string): string | null {
  const labels = name.split('.')
  if (labels.length > 1 && labels.at(-1) === '') labels.pop()
  const isWrong = (label: string): boolean => !/^[\w-]+$/.test(label) || label.length > 63
  const host = labels.join('.').toLowerCase()
  return labels.some(isWrong) || host.length > 253 ? null : host
}

test('agrees with its plain twin on any text', () => {
  const label = fc.stringMatching(/^[A-Za-z0-9_-]{0,5}$/)
  const name = fc.array(label, { maxLength: 5 }).map((labels) => labels.join('.'))
  const port = fc.oneof(
    fc.constant(''),
    fc.nat(70_000).map((n) => `:${n}`),
    fc.constantFrom(':', ':x', ':-1'),
  )
  const literal = fc
    .oneof(fc.ipV6(), fc.stringMatching(/^[0-9a-fA-F:.%]{0,12}$/))
    .map((text) => `[${text}]`)
  const text = fc.oneof(
    fc.tuple(fc.oneof(name, literal), port).map((parts) => parts.join('')),
    fc.string(),
  )
  fc.assert(
    fc.property(text, (value) => {
      const read = readHost(value)
      assert.equal(read.kind === 'host' ? read.host : null, plain(value))
    }),
    { numRuns: 2_000 },
  )
})

test('lower case, without port and last dot', () => {
  for (const [value, host] of [
    ['Shop.Example.com.', 'shop.example.com'],
    ['shop:8080', 'shop'],
    ['shop:', 'shop'],
    ['[2001:DB8::1]:443', '[2001:db8::1]'],
    ['127.0.0.1:80', '127.0.0.1'],
  ]) {
    assert.deepEqual(readHost(value ?? ''), { kind: 'host', host })
  }
})

test('what could name two hosts, or none, is refused', () => {
  const values = [
    '',
    '.',
    'a..b',
    ' a',
    'a b',
    'a,b',
    'a@b',
    'a/b',
    'a\\b',
    'a%2eb',
    'ä',
    'a:1:2',
    'a:65536',
  ]
  for (const value of [
    ...values,
    '[::1',
    '::1',
    '[::1]x',
    '[v1.x]',
    '[fe80::1%25eth0]',
    'a'.repeat(64),
  ]) {
    assert.equal(readHost(value).kind, 'refused', value)
  }
  assert.equal(readHost(`${'a.'.repeat(127)}ab`).kind, 'refused')
})
