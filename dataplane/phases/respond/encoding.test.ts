/**
 * Which answers are compressed, and how.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { AnswerBody } from '../../request/outcome.ts'
import { CODINGS, codingFor, prepareCompression, worth } from './encoding.ts'

/** RFC 9110 section 12.5.3, rule by rule. */
function plain(items: readonly (readonly [string, number])[]): string {
  const weightOf = (name: string): number => {
    const own = items.findLast(([listed]) => listed === name)
    const star = items.findLast(([listed]) => listed === '*')
    return own?.[1] ?? star?.[1] ?? 0
  }
  const identity = items.findLast(([listed]) => listed === 'identity')?.[1] ?? 0
  const liked = CODINGS.filter((coding) => weightOf(coding) > 0 && weightOf(coding) >= identity)
  const most = Math.max(...liked.map(weightOf))
  return liked.find((coding) => weightOf(coding) === most) ?? 'identity'
}

test('the coding is the one that the plain twin picks', () => {
  const item = fc.tuple(
    fc.constantFrom('gzip', 'br', 'zstd', 'deflate', 'identity', '*'),
    fc.constantFrom(0, 0.5, 0.9, 1),
  )
  fc.assert(
    fc.property(fc.array(item, { maxLength: 5 }), (items) => {
      const text = items.map(([name, q]) => (q === 1 ? name : `${name};q=${q}`)).join(', ')
      assert.equal(codingFor(text), plain(items), text)
    }),
    { numRuns: 3_000 },
  )
})

test('clients that say nothing, or nothing that can be read, get an answer as it is', () => {
  for (const text of [null, '', 'gzip;q=2', 'gzip;q=x', 'deflate', 'identity', '*;q=0']) {
    assert.equal(codingFor(text), 'identity', String(text))
  }
  assert.equal(codingFor('X-GZIP'), 'gzip')
  assert.equal(codingFor('gzip, deflate, br, zstd'), 'zstd')
  assert.equal(codingFor('*'), 'zstd')
  assert.equal(codingFor('br;q=0, zstd;q=0, *'), 'gzip')
})

const JSON_TYPE = ['Content-Type', 'Application/JSON; charset=utf-8']

function judged(headers: readonly string[], bytes = 100, status = 200, method = 'GET'): string {
  const body: AnswerBody = { kind: 'bytes', bytes: Buffer.alloc(bytes) }
  const content = method === 'HEAD' ? 'none' : 'some'
  const compression = prepareCompression({ types: ['text/*', 'application/json'], minBytes: 100 })
  return worth({ status, headers, content }, body, compression)
}

test('only listed types of a size that is worth it are compressed', () => {
  assert.equal(judged(JSON_TYPE), 'yes')
  assert.equal(judged(['content-type', 'text/css']), 'yes')
  assert.equal(judged(JSON_TYPE, 99), 'no')
  for (const type of ['image/png', 'application/json-seq', 'text', '', 'x/text/plain']) {
    assert.equal(judged(['content-type', type]), 'no', type)
  }
})

test('nothing is compressed that was, that is a part, or that nobody may transform', () => {
  assert.equal(judged([...JSON_TYPE, 'Content-Encoding', 'gzip']), 'no')
  assert.equal(judged([...JSON_TYPE, 'Content-Range', 'bytes 0-1/2']), 'no')
  assert.equal(judged([...JSON_TYPE, 'Cache-Control', 'public, No-Transform']), 'no')
  assert.equal(judged([...JSON_TYPE, 'Cache-Control', 'x-no-transform-y']), 'yes')
  assert.equal(judged(JSON_TYPE, 100, 206), 'no')
  assert.equal(judged(JSON_TYPE, 100, 200, 'HEAD'), 'no')
})
