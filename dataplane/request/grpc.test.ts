/** Proves grpc.ts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fail } from './failure.ts'
import { grpcMessage, grpcStatus, grpcTimeoutMs, grpcType } from './grpc.ts'

test('a failure is the status that gRPC has for it', () => {
  const statusOf = (cause: Parameters<typeof fail>[0]) => grpcStatus(fail(cause, ''))
  assert.equal(statusOf('bad-request'), 13)
  assert.equal(statusOf('unauthenticated'), 16)
  assert.equal(statusOf('forbidden'), 7)
  assert.equal(statusOf('no-route'), 12)
  assert.equal(statusOf('rate-limited'), 14)
  assert.equal(statusOf('upstream-connect'), 14)
  assert.equal(statusOf('no-endpoint'), 14)
  assert.equal(statusOf('upstream-timeout'), 4)
  assert.equal(statusOf('body-too-large'), 2)
  assert.equal(statusOf('bug'), 2)
})

test('a timeout is at most eight digits and a unit, and anything else is none', () => {
  const timeout = (text: string) => grpcTimeoutMs(['Grpc-Timeout', text])
  assert.equal(timeout('2H'), 7_200_000)
  assert.equal(timeout('3M'), 180_000)
  assert.equal(timeout('4S'), 4_000)
  assert.equal(timeout('50m'), 50)
  assert.equal(timeout('500u'), 0.5)
  assert.equal(timeout('1000000n'), 1)
  for (const text of ['', '5', 'S', '123456789S', '1s', '-1S', '1.5S', ' 1S', '1S ']) {
    assert.equal(timeout(text), Number.POSITIVE_INFINITY, text)
  }
  assert.equal(grpcTimeoutMs([]), Number.POSITIVE_INFINITY)
})

test('a call of gRPC is a POST with one of its types', () => {
  const typeOf = (type: string, method = 'POST') =>
    grpcType({ method, headers: ['Content-Type', type] })
  assert.equal(typeOf('application/grpc'), 'application/grpc')
  assert.equal(typeOf('application/grpc-web+proto'), 'application/grpc-web+proto')
  assert.equal(typeOf('application/grpc', 'GET'), null)
  assert.equal(typeOf('application/json'), null)
  assert.equal(grpcType({ method: 'POST', headers: [] }), null)
})

test('any message is printable ASCII, and reads back as what it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const message = grpcMessage(text)
      assert.match(message, /^[\x20-\x7e]*$/)
      assert.equal(decodeURIComponent(message), text)
    }),
  )
})
