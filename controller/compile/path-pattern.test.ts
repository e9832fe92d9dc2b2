/**
 * Path patterns: what users write, what is refused with which words, and a round trip.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  type ParsedPath,
  type ParsedRewrite,
  parsePathPattern,
  parsePathRewrite,
  type SegmentsPattern,
} from './path-pattern.ts'

function refusal(parsed: ParsedPath | ParsedRewrite): string {
  assert.equal(parsed.kind, 'refused')
  return parsed.kind === 'refused' ? parsed.because : ''
}

function pattern(text: string): SegmentsPattern {
  const parsed = parsePathPattern(text)
  assert.ok(parsed.kind === 'path', refusalText(parsed))
  return parsed.pattern
}

function refusalText(parsed: ParsedPath): string {
  return parsed.kind === 'refused' ? parsed.because : ''
}

test('exact paths, parameters and everything below', () => {
  assert.deepEqual(pattern('/orders/{id}'), {
    kind: 'segments',
    segments: [{ literal: 'orders' }, { param: 'id' }],
    end: 'exact',
  })
  assert.deepEqual(pattern('/'), { kind: 'segments', segments: [{ literal: '' }], end: 'exact' })
  assert.deepEqual(pattern('/**'), { kind: 'segments', segments: [], end: 'below' })
  assert.deepEqual(pattern('/a/'), {
    kind: 'segments',
    segments: [{ literal: 'a' }, { literal: '' }],
    end: 'exact',
  })
  assert.deepEqual(pattern('/a/{b}/**').end, 'below')
})

test('a wildcard anywhere else is refused with what to write', () => {
  for (const text of ['/a/*', '/**/b', '/a*', '/a/**/', '/a/***']) {
    assert.match(refusal(parsePathPattern(text)), /"\/\*\*" at the end .* "\{name\}"/)
  }
})

test('a parameter is a whole segment with a name of its own', () => {
  for (const text of ['/a-{id}', '/{a b}', '/{}', '/{1}', '/{a', '/{a}{b}', '/{a}.json']) {
    assert.match(refusal(parsePathPattern(text)), /whole segment/)
  }
  assert.match(refusal(parsePathPattern('/{a}/{a}')), /"\{a\}" is there twice/)
})

test('text that is not canonical is refused with its canonical form', () => {
  const cases = {
    '/a%2Db': '/a-b',
    '/a/../b': '/b',
    '/caf%c3%a9/{id}': '/caf%C3%A9/{id}',
    '/café/**': '/caf%C3%A9/**',
    '/a b': '/a%20b',
    '/./x/{id}/**': '/x/{id}/**',
  }
  // A raw space is refused by the front, so that the escaped form is the only one.
  for (const [written, canonical] of Object.entries(cases)) {
    if (written === '/a b') {
      assert.match(refusal(parsePathPattern(written)), /unescaped/)
    } else {
      assert.ok(refusal(parsePathPattern(written)).includes(`"${canonical}"`), written)
    }
  }
})

test('a path that no request can have is refused', () => {
  for (const text of ['/a//b', '/a;b', '/%2F', '/%', '/a%252F', '/%FF', '/a./b', '/a\\b', '//**']) {
    const because = refusal(parsePathPattern(text))
    assert.match(because, /No request can have this path|empty segment/, text)
  }
  assert.match(refusal(parsePathPattern('/a?b=1')), /queryParams/)
  assert.match(refusal(parsePathPattern('a')), /write "\/a"/)
  assert.match(refusal(parsePathPattern('/\ud800')), /No request/)
})

/** The other direction, as documentation would print it. */
function print({ segments, end }: SegmentsPattern): string {
  const texts = segments.map((s) => ('literal' in s ? s.literal : `{${s.param}}`))
  return `/${[...texts, ...(end === 'below' ? ['**'] : [])].join('/')}`
}

test('a pattern prints as it was written', () => {
  const literal = fc.stringMatching(/^[a-z0-9_~-]{1,6}$/)
  const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,4}$/)
  const segments = fc.array(
    fc.oneof(
      literal,
      name.map((n) => `{${n}}`),
    ),
    { maxLength: 6 },
  )
  fc.assert(
    fc.property(segments, fc.constantFrom('', '/', '/**'), (words, tail) => {
      const text = `${words.map((w) => `/${w}`).join('')}${tail}` || '/'
      const params = words.flatMap((w) => (w.startsWith('{') ? [w] : []))
      const parsed = parsePathPattern(text)
      assert.equal(parsed.kind === 'path', new Set(params).size === params.length)
      if (parsed.kind === 'path') assert.equal(print(parsed.pattern), text)
    }),
  )
})

test('no text makes the parsers throw, and what is refused says why', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^(\/[{}a%*.2F]{0,5})*$/))
  fc.assert(
    fc.property(text, (path) => {
      for (const parsed of [parsePathPattern(path), parsePathRewrite(path)]) {
        if (parsed.kind === 'refused') assert.notEqual(parsed.because, '')
      }
    }),
  )
})

test('the form that a refusal shows is accepted', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^(\/([a-c.é]|%2[d-e]|%c3%a9|\{[xyz]\}){0,3}){0,4}$/), (path) => {
      const parsed = parsePathPattern(path)
      if (parsed.kind === 'path') return
      const shown = /write "(.*)"\.$/.exec(parsed.because)?.[1]
      if (shown !== undefined) assert.equal(parsePathPattern(shown).kind, 'path', shown)
    }),
  )
})

test('a rewritten path is built from text and captures', () => {
  assert.deepEqual(parsePathRewrite('/v2/**'), {
    kind: 'path',
    parts: [{ literal: '/v2/' }, { rest: true }],
  })
  assert.deepEqual(parsePathRewrite('/a/{id}-x/{id}'), {
    kind: 'path',
    parts: [{ literal: '/a/' }, { param: 'id' }, { literal: '-x/' }, { param: 'id' }],
  })
  assert.deepEqual(parsePathRewrite('/**'), {
    kind: 'path',
    parts: [{ literal: '/' }, { rest: true }],
  })
})

test('a rewritten path that cannot be sent is refused', () => {
  assert.match(refusal(parsePathRewrite('v2')), /write "\/v2"/)
  assert.match(refusal(parsePathRewrite('/**/x')), /only at the end/)
  assert.match(refusal(parsePathRewrite('/{a')), /brace/)
  assert.match(refusal(parsePathRewrite('/a/%2e/b')), /cannot be sent/)
  assert.match(refusal(parsePathRewrite('/a%2Db')), /write "\/a-b"/)
  assert.match(refusal(parsePathRewrite('/a?x=1')), /no "\?" or "#"/)
})
