/**
 * Bounds on bodies that say how long they are; those that do not are in forward/counted-body.test.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeBody, fakeExchange } from '../../test/fake/exchange.ts'
import { fakeRule } from '../../test/fake/rule.ts'
import { boundBody } from './body.ts'

test('a body that is declared too large is refused before it is read', () => {
  const judged = (bytes: number, bodyBytesMax: number | null): string => {
    const body = new FakeBody(bytes === 0 ? [] : [Buffer.alloc(bytes)])
    body.start = () => assert.fail('it was read')
    const { exchange } = fakeExchange({ body })
    exchange.rule = fakeRule({ bodyBytesMax })
    const outcome = boundBody(exchange)
    return outcome.kind === 'fail' ? `${outcome.status} ${outcome.cause}` : outcome.kind
  }
  assert.equal(judged(10, 10), 'continue')
  assert.equal(judged(11, 10), '413 body-too-large')
  assert.equal(judged(1, 0), '413 body-too-large')
  assert.equal(judged(0, 0), 'continue')
  assert.equal(judged(1_000, null), 'continue')
})
