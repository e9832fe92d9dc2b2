/**
 * Promises of pace.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BURST, createPace, WRITES_PER_S } from './pace.ts'

test('no second has more writes than the rate and one burst', () => {
  let nowMs = 0
  const pace = createPace(() => nowMs)
  const writes: number[] = []
  for (nowMs = 0; nowMs < 5_000; nowMs += 5) {
    while (pace.take() === 'taken') {
      writes.push(nowMs)
      if (writes.length % 4 === 0) pace.spend() // an Event for some of them
    }
  }
  for (const from of writes) {
    const within = writes.filter((at) => at >= from && at < from + 1_000).length
    assert.ok(within <= WRITES_PER_S + BURST, `${within} writes in the second after ${from} ms`)
  }
  assert.ok(writes.length > 350, 'and it is used')
})
