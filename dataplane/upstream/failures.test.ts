/**
 * Proves that whatever the client library throws becomes a failure that says nothing it should not.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errors } from 'undici'
import { BodyAborted } from './body-stream.ts'
import { failureOf, InvalidAnswer, type Stage } from './failures.ts'

function coded(code: string): Error {
  return Object.assign(new Error(`${code} 10.1.2.3:80 secret`), { code })
}

const CASES: readonly (readonly [unknown, Stage, string])[] = [
  [coded('ECONNREFUSED'), 'connecting', 'upstream-connect'],
  [coded('EHOSTUNREACH'), 'connecting', 'upstream-connect'],
  [new errors.ConnectTimeoutError('x'), 'connecting', 'upstream-connect'],
  [new errors.ClientClosedError('x'), 'connecting', 'upstream-connect'],
  [new errors.ClientDestroyedError('x'), 'connecting', 'upstream-connect'],
  [new errors.SocketError('other side closed'), 'waiting', 'upstream-reset'],
  [new errors.InformationalError('reset'), 'waiting', 'upstream-reset'],
  [coded('ECONNRESET'), 'waiting', 'upstream-reset'],
  [coded('EPIPE'), 'waiting', 'upstream-reset'],
  [coded('ERR_HTTP2_STREAM_ERROR'), 'waiting', 'upstream-reset'],
  [new errors.SocketError('other side closed'), 'answering', 'upstream-reset'],
  [new errors.HTTPParserError('x'), 'waiting', 'upstream-invalid'],
  [new errors.HeadersOverflowError('x'), 'waiting', 'upstream-invalid'],
  [new errors.ResponseContentLengthMismatchError('x'), 'answering', 'upstream-invalid'],
  [coded('ERR_ASSERTION'), 'waiting', 'upstream-invalid'],
  [new InvalidAnswer('x'), 'waiting', 'upstream-invalid'],
  [new errors.InvalidArgumentError('x'), 'connecting', 'bug'],
  [new errors.NotSupportedError('x'), 'connecting', 'bug'],
  [new errors.RequestContentLengthMismatchError('x'), 'waiting', 'bug'],
  [new TypeError('a mistake of ours'), 'answering', 'bug'],
  [coded('ERR_INVALID_ARG_TYPE'), 'answering', 'bug'],
  ['not even an error', 'answering', 'bug'],
  [new BodyAborted('x'), 'waiting', 'client-closed'],
]

test('every error of the client library has a cause', () => {
  for (const [error, stage, cause] of CASES) {
    const failure = failureOf(error, stage)
    assert.equal(failure.cause, cause, `${String(error)} while ${stage}`)
    assert.doesNotMatch(failure.detail, /\d|secret|undici/i)
  }
})
