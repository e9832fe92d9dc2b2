/**
 * Proves what a rule's delivery becomes.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_DELIVERY, prepareDelivery } from './delivery.ts'

test('what is not stated is the default', () => {
  assert.equal(prepareDelivery(undefined), DEFAULT_DELIVERY)
  assert.deepEqual(prepareDelivery({}), DEFAULT_DELIVERY)
  assert.deepEqual(prepareDelivery({ hedge: { afterMs: 5 } }), {
    ...DEFAULT_DELIVERY,
    hedgeAfterMs: 5,
  })
})
