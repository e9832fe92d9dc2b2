/**
 * The canonical path against a plain twin, and the spellings by which gateways have been walked
 * around.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { canonicalPath, decodedSegment, segmentsOf } from '#wire/path'

/** The same rules, written to be read: check all, decode what is unreserved, then resolve dots. */
function twin(raw: string): string | null {
  if (!/^\/[A-Za-z0-9\-._~!$&'()*+,=:@/%"<>[\]^`{|}]*$/.test(raw)) return null
  if (/%(?![0-9A-Fa-f]{2})/.test(raw) || /\/\//.test(raw)) return null
  const segments = raw.slice(1).split('/').map(canonicalTwin)
  const sound = segments.filter((segment) => segment !== null)
  if (sound.length < segments.length) return null
  const out = withoutDots(sound)
  if (/\/\.\.?$/.test(raw)) out.push('')
  return `/${out.join('/')}`
}

function withoutDots(segments: readonly string[]): string[] {
  const out: string[] = []
  for (const segment of segments) {
    if (segment === '..') out.pop()
    else if (segment !== '.') out.push(segment)
  }
  return out
}

function canonicalTwin(segment: string): string | null {
  if (segment === '.' || segment === '..') return segment
  const text = segment
    .replaceAll(/["<>[\]^`{|}]/g, (c) => encodeURIComponent(c))
    .replaceAll(/%../g, (escape) => {
      const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16))
      return /[A-Za-z0-9\-._~]/.test(character) ? character : escape.toUpperCase()
    })
  if (/[.]$|%20$|%[01].|%7F|%2F|%5C|%3B|%25[0-9A-Fa-f]{2}/.test(text)) return null
  return Buffer.from(percentBytes(text)).toString('utf8').includes('\uFFFD') ? null : text
}

function percentBytes(text: string): number[] {
  const bytes: number[] = []
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '%') bytes.push(text.charCodeAt(i))
    else {
      bytes.push(Number.parseInt(text.slice(i + 1, i + 3), 16))
      i += 2
    }
  }
  return bytes
}

const PIECES = [
  ...'/ / / .. /../ /./ // . % ; \\ a b ~ * @ " { | ^ 2 5 e E f F ? # \u0000 \u007f \u00e9'.split(
    ' ',
  ),
  ...'%2e %2E %2f %5c %5C %3b %3B %25 %2541 %20 %00 %1f %7f %c3%a9 %ff %C0%80 %41 %7e %3F'.split(
    ' ',
  ),
  ...'%ed%a0%80 %f0%9f%98%80 %c3 %a9 %23 %40 %7B'.split(' '),
  ' ',
]
const raws = fc
  .array(fc.constantFrom(...PIECES), { maxLength: 10 })
  .map((pieces) => `/${pieces.join('')}`)

test('the canonical path equals that of its plain twin', () => {
  fc.assert(
    fc.property(raws, (raw) => {
      const seen = canonicalPath(raw)
      assert.equal(seen.kind === 'path' ? seen.path : null, twin(raw))
    }),
    { numRuns: 20_000 },
  )
})

test('a canonical path stays as it is, and never holds what is refused', () => {
  fc.assert(
    fc.property(raws, (raw) => {
      const first = canonicalPath(raw)
      if (first.kind === 'refused') return
      assert.deepEqual(canonicalPath(first.path), first)
      assert.doesNotMatch(first.path, /[;\\?# ]|%2F|%5C|%3B|%[01]|%7F|%25[0-9A-Fa-f]{2}|\/\//)
      assert.doesNotMatch(first.path, /[.](\/|$)|%20(\/|$)|%[0-9A-F]?[a-f]|[^!-~]/)
      const decoded = segmentsOf(first.path).map(decodedSegment)
      assert.ok(decoded.every((segment) => !/[/\\;]|[. ]$/.test(segment)))
    }),
    { numRuns: 20_000 },
  )
})

const ACCEPTED: readonly (readonly [string, string])[] = [
  ['/', '/'],
  ['/books/42', '/books/42'],
  ['/books/', '/books/'],
  ['/a/./b', '/a/b'],
  ['/a/../b', '/b'],
  ['/../b', '/b'],
  ['/a/b/..', '/a/'],
  ['/a/.', '/a/'],
  ['/a/..', '/'],
  ['/%41%2d%7e', '/A-~'],
  ['/caf%c3%a9', '/caf%C3%A9'],
  ['/a%3fb%23c', '/a%3Fb%23c'],
  ['/a%40b', '/a%40b'],
  ['/a{b}', '/a%7Bb%7D'],
  ['/.well-known/x', '/.well-known/x'],
  ['/a%25', '/a%25'],
  ['/100%25/x', '/100%25/x'],
  ['/%20a', '/%20a'],
]

test('equal paths have one spelling', () => {
  for (const [raw, path] of ACCEPTED) {
    assert.deepEqual(canonicalPath(raw), { kind: 'path', path }, raw)
  }
})

const REFUSED = `
* books http://a/b // //a /a//b /a// /a/%2e/b /a/%2E%2e/b /.%2e/a /a%2fb /a%5Cb /a\\b
/a;b /a/..;/b /a%3bb /a%00 /a%1F /a%7F /a\u0000 /a% /a%4 /a%zz /a%2541 /a%25%34%31 /a%252%66
/a%ff /a%c0%af /a%ed%a0%80 /a%c3 /a. /a./b /a%2E /... /a%20 /a%20/b /a?b /a#b /caf\u00e9
/a;/../b /x//../b`

test('what two servers could read as two paths is refused', () => {
  for (const raw of ['', '/a b', ...REFUSED.trim().split(/\s+/)])
    assert.equal(canonicalPath(raw).kind, 'refused', raw)
})
