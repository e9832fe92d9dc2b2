/**
 * Proves the writer against the parser.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { Collected } from './fake/collect.ts'
import { Parser } from './parse.ts'
import {
  CHUNKED_LINE,
  chunkLine,
  fieldLine,
  fieldLines,
  lastChunk,
  LINE_END,
  requestLine,
  statusLine,
} from './write.ts'

const fields = fc
  .array(fc.tuple(fc.constantFrom('a', 'X-B', '~!#'), fc.constantFrom('', 'b', 'a, b', '\xe9')), {
    maxLength: 4,
  })
  .map((list) => list.flat())
const pieces = fc.array(fc.constantFrom('a', 'bcd', '\r\n0\r\n\r\n', 'x'.repeat(300)), {
  maxLength: 4,
})

function bodyOf(texts: readonly string[], trailers: readonly string[] | null): string {
  const chunks = texts.map((text) => `${chunkLine(text.length)}${text}${LINE_END}`)
  return `${chunks.join('')}${lastChunk(trailers)}`
}

test('whatever is written parses as what was meant', () => {
  fc.assert(
    fc.property(fields, pieces, fc.option(fields), (list, texts, trailers) => {
      for (const first of [requestLine('POST', '/a?b'), statusLine(200)]) {
        const collected = new Collected()
        const parser = new Parser(first.startsWith('POST') ? 'request' : 'response', collected)
        if (!first.startsWith('POST')) parser.nextAnswer('GET', 'none')
        const head = first + fieldLines(list) + CHUNKED_LINE + LINE_END
        const bytes = Buffer.from(head + bodyOf(texts, trailers), 'latin1')
        assert.equal(parser.read(bytes, 0), bytes.length)
        assert.equal(parser.state, 'ended')
        assert.deepEqual(collected.heads[0]?.fields.slice(0, -2), list)
        assert.equal(collected.bodies[0], texts.join(''))
        assert.deepEqual(collected.trailers[0] ?? [], trailers ?? [])
      }
    }),
  )
})

test('what would be read as something else is never written', () => {
  for (const value of ['a\r\nb: c', 'a\n', '\r', 'a\0', '\u010a', '\u0100', '\x7f']) {
    assert.throws(() => fieldLine('a', value), TypeError)
  }
  for (const name of ['', 'a b', 'a:', 'a\r\n', '\xe9']) {
    assert.throws(() => fieldLine(name, 'a'), TypeError)
  }
  assert.throws(() => requestLine('GET', '/a b'), TypeError)
  assert.throws(() => requestLine('GET ', '/'), TypeError)
  assert.throws(() => chunkLine(0), TypeError)
})

test('every status has its line', () => {
  assert.equal(statusLine(200), 'HTTP/1.1 200 OK\r\n')
  assert.equal(statusLine(299), 'HTTP/1.1 299 \r\n')
})
