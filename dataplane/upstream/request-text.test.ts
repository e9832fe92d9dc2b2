/**
 * Proves that what goes upstream is one request, whatever it was made of.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { plainRequest } from '../http1/fake/plain.ts'
import type { RequestBody } from '../request/exchange.ts'
import { requestHead } from './request-head.ts'
import { requestText } from './request-text.ts'
import type { UpstreamRequest } from './upstream.ts'
import { DEFAULT_DELIVERY } from './delivery.ts'

function bodyOf(bytesDeclared: number | null): RequestBody {
  const empty = bytesDeclared === 0
  return { empty, bytesDeclared, start: () => undefined, resume: () => undefined }
}

const text = fc.string({
  unit: fc.constantFrom('a', 'B', '-', ':', ' ', '\t', '\r', '\n', '\0', 'é', '\u010a'),
})
const name = fc.oneof(
  text,
  fc.constantFrom('Host', 'Content-Length', 'Transfer-Encoding', 'Expect', 'x-a'),
)
const value = fc.oneof(text, fc.constantFrom('1', 'chunked', 'a\r\nx: y', '100-continue'))
const body = fc.constantFrom(null, bodyOf(null), bodyOf(3), bodyOf(0), Buffer.from('abc'))

test('what is sent re-parses as what was meant, or is not sent', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('GET', 'POST', 'PUT', 'M-SEARCH', 'GET / HTTP/1.1\r\nx: y\r\n\r\nGET'),
      text.map((path) => `/${path}`),
      fc.array(fc.tuple(name, value), { maxLength: 3 }),
      body,
      (method, target, pairs, sent) => {
        const request: UpstreamRequest = {
          backend: 'b',
          method,
          target,
          host: 'shop',
          headers: pairs.flat(),
          body: sent,
          deadlineMs: 0,
          delivery: DEFAULT_DELIVERY,
        }
        const written = requestText(request)
        if (written === null) return
        const chunked = /transfer-encoding/i.test(written)
        const plain = plainRequest(`${written}${chunked ? '3\r\nabc\r\n0\r\n\r\n' : 'abc'}`)
        assert.equal(plain.kind, 'message')
        if (plain.kind !== 'message') return
        const { first, fields, body: content } = plain.message
        assert.deepEqual(first, [method, target, '1.1'])
        const trimmed = requestHead(request).map((part) => part.replace(/^[ \t]+|[ \t]+$/g, ''))
        const others = [...fields.slice(0, 2), ...fields.slice(4)]
        assert.deepEqual(fields.slice(2, 4), ['connection', 'keep-alive'])
        assert.deepEqual(others.slice(0, trimmed.length), trimmed)
        assert.ok(others.length - trimmed.length <= 2)
        const isEmpty = sent === null || (!Buffer.isBuffer(sent) && sent.empty)
        assert.equal(content, isEmpty ? '' : 'abc')
      },
    ),
    { numRuns: 2_000 },
  )
})

test('what cannot be sent is refused', () => {
  const request: UpstreamRequest = {
    backend: 'b',
    method: 'GET',
    target: '/',
    host: 'shop',
    headers: [],
    body: null,
    deadlineMs: 0,
    delivery: DEFAULT_DELIVERY,
  }
  assert.equal(
    requestText(request),
    'GET / HTTP/1.1\r\nhost: shop\r\nconnection: keep-alive\r\n\r\n',
  )
  const refused: Partial<UpstreamRequest>[] = [
    { target: '*' },
    { target: '' },
    { target: 'http://other/' },
    { target: '/a b' },
    { target: '/a\r\nx: y' },
    { target: `/${'x'.repeat(9_000)}` },
    { host: 'a\r\nx: y' },
    { host: 'a\u010ax: y' },
    { method: 'G T' },
    { headers: ['bad name', 'x'] },
    { headers: ['', 'x'] },
    { headers: ['x', 'a\nb'] },
    { headers: ['x', 'a\0b'] },
  ]
  for (const wrong of refused) {
    assert.equal(requestText({ ...request, ...wrong }), null, JSON.stringify(wrong))
  }
})
