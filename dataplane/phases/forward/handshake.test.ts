/**
 * Proves the handshake of WebSockets that come over HTTP/2.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { fakeExchange } from '../../../test/fake/exchange.ts'
import { FakeStream } from '../../../test/fake/runtime.ts'
import { headerLines } from '../../request/headers.ts'
import type { Tunnel } from '../../request/tunnel.ts'
import { DEFAULT_DELIVERY } from '../../upstream/delivery.ts'
import type { UpstreamHead, UpstreamRequest } from '../../upstream/upstream.ts'
import { handshakeOf } from './handshake.ts'

const REQUEST: UpstreamRequest = {
  backend: 'b',
  method: 'GET',
  target: '/',
  host: 'a',
  headers: ['x', '1', 'Sec-WebSocket-Key', 'of the client'],
  body: null,
  deadlineMs: 0,
  delivery: DEFAULT_DELIVERY,
}

function switched(headers: readonly string[]): { head: UpstreamHead; aborted: string[] } {
  const aborted: string[] = []
  const tunnel: Tunnel = {
    open: () => undefined,
    data: () => 'more',
    end: () => undefined,
    resume: () => undefined,
    abort: ({ cause }) => void aborted.push(cause),
  }
  return { head: { status: 101, headers, stream: new FakeStream(), tunnel }, aborted }
}

function proofOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}

test('a backend that does not prove that it has understood is not one', () => {
  const { exchange } = fakeExchange({ protocol: '2', upgrade: 'websocket' })
  const handshake = handshakeOf('websocket', exchange)
  const { headers, upgrade } = handshake.offered(REQUEST)
  const [key = '', ...others] = headerLines(headers, 'sec-websocket-key')
  assert.deepEqual([upgrade, others], ['websocket', []])
  assert.equal(Buffer.from(key, 'base64').length, 16)
  const right = switched(['Sec-WebSocket-Accept', proofOf(key), 'y', '2'])
  assert.equal(handshake.whyNot(right.head), null)
  assert.deepEqual(handshake.answered(right.head.headers), ['y', '2'])
  const accept = 'sec-websocket-accept'
  const wrong = [[], [accept, 'x'], [accept, proofOf('k')], [accept, proofOf(key), accept, 'x']]
  for (const lines of wrong) {
    const { head, aborted } = switched(lines)
    assert.equal(handshake.whyNot(head)?.cause, 'upstream-invalid', lines.join())
    assert.deepEqual(aborted, ['upstream-invalid'])
  }
  // What is no switch is an ordinary answer.
  assert.equal(handshake.whyNot({ status: 200, headers: [], stream: new FakeStream() }), null)
})

test("over HTTP/1.1 the handshake is the client's own", () => {
  const { exchange } = fakeExchange({ upgrade: 'foo/2' })
  const handshake = handshakeOf('foo/2', exchange)
  assert.deepEqual(handshake.offered(REQUEST), { ...REQUEST, upgrade: 'foo/2' })
  assert.equal(handshake.whyNot(switched([]).head), null)
  assert.deepEqual(handshake.answered(['sec-websocket-accept', 'x']), ['sec-websocket-accept', 'x'])
})
