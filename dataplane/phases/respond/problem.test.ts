/**
 * Failures as clients see them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Cause, fail, FACTS } from '../../request/failure.ts'
import { headerValue } from '../../request/headers.ts'
import { problemOf } from './problem.ts'

const causes = Object.keys(FACTS).filter((word): word is Cause => word in FACTS)

test('a problem names its cause, its request and nothing else', () => {
  for (const cause of causes) {
    const { status, headers, body } = problemOf(fail(cause, 'What to do.'), 'ID')
    assert.equal(status, FACTS[cause].status)
    assert.deepEqual(JSON.parse(body.toString('utf8')), {
      type: `https://fairlead.dev/errors#${cause}`,
      title: FACTS[cause].title,
      status,
      detail: 'What to do.',
      instance: 'ID',
    })
    assert.equal(headerValue(headers, 'content-type'), 'application/problem+json')
    assert.equal(headerValue(headers, 'x-fairlead-cause'), cause)
    assert.equal(headerValue(headers, 'x-request-id'), 'ID')
    assert.equal(headerValue(headers, 'cache-control'), 'no-store')
    assert.equal(headerValue(headers, 'retry-after') !== null, status === 429 || status === 503)
  }
})

test("a policy's own word and status take the place of ours", () => {
  const failure = { ...fail('forbidden', 'Read-only.'), word: 'suspended', status: 402 }
  const { status, headers, body } = problemOf(failure, 'ID')
  assert.equal(status, 402)
  assert.equal(headerValue(headers, 'x-fairlead-cause'), 'suspended')
  assert.match(body.toString(), /"status":402/)
})

test('a failure that knows when to come back is not contradicted', () => {
  const { headers } = problemOf(fail('rate-limited', 'Wait.', ['Retry-After', '17']), 'ID')
  assert.equal(headerValue(headers, 'retry-after'), '17')
})
