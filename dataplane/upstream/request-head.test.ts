/**
 * Proves that what goes upstream is framed by us alone.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RequestBody } from '../request/exchange.ts'
import { requestHead } from './request-head.ts'
import type { UpstreamRequest } from './upstream.ts'
import { DEFAULT_DELIVERY } from './delivery.ts'

function bodyOf(bytesDeclared: number | null): RequestBody {
  return { empty: false, bytesDeclared, start: () => undefined, resume: () => undefined }
}

function request(headers: readonly string[], body: UpstreamRequest['body']): UpstreamRequest {
  const delivery = DEFAULT_DELIVERY
  const rest = { deadlineMs: 0, delivery }
  return { backend: 'b', method: 'POST', target: '/', host: 'shop', headers, body, ...rest }
}

test('never frames the message twice', () => {
  const name = fc.constantFrom(
    'Host',
    'host',
    'Content-Length',
    'content-LENGTH',
    'Transfer-Encoding',
    'Connection',
    'Expect',
    'Upgrade',
    'Keep-Alive',
    'X-A',
    'x-a',
  )
  const body = fc.constantFrom(null, bodyOf(null), bodyOf(7), Buffer.from('abc'))
  fc.assert(
    fc.property(
      fc.array(fc.tuple(name, fc.constantFrom('1', 'chunked', 'close'))),
      body,
      (pairs, sent) => {
        const head = requestHead(request(pairs.flat(), sent))
        const names = head.filter((_, i) => i % 2 === 0).map((each) => each.toLowerCase())
        assert.deepEqual(
          names.filter((each) => each === 'host'),
          ['host'],
        )
        const declared = sent !== null && !Buffer.isBuffer(sent) && sent.bytesDeclared !== null
        assert.equal(names.filter((each) => each === 'content-length').length, declared ? 1 : 0)
        for (const never of [
          'transfer-encoding',
          'connection',
          'expect',
          'upgrade',
          'keep-alive',
        ]) {
          assert.ok(!names.includes(never), never)
        }
        const kept = pairs.filter(([each]) => each.toLowerCase() === 'x-a').flat()
        assert.deepEqual(head.slice(2, 2 + kept.length), kept)
      },
    ),
  )
})
