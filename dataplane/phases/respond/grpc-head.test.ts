/** Proves grpc-head.ts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fail } from '../../request/failure.ts'
import { grpcHead } from './grpc-head.ts'

test('the head says what the problem document would, and is all there is', () => {
  const problem = {
    status: 429,
    headers: [
      'Content-Type',
      'application/problem+json',
      'x-fairlead-cause',
      'rate-limited',
      'retry-after',
      '3',
      'content-length',
      '120',
    ],
    content: 'some',
  } as const
  const failure = fail('rate-limited', '100 % of it is used up.')
  assert.deepEqual(grpcHead(problem, failure, 'application/grpc+proto'), {
    status: 200,
    headers: [
      'content-type',
      'application/grpc+proto',
      'x-fairlead-cause',
      'rate-limited',
      'retry-after',
      '3',
      'grpc-status',
      '14',
      'grpc-message',
      '100 %25 of it is used up.',
    ],
    content: 'none',
  })
})
