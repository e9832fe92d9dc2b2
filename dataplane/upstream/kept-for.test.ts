/**
 * Proves how long an idle connection is kept.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KEPT_MS, keptForMs } from './kept-for.ts'

test('what a server says is used, never to the last second', () => {
  assert.equal(keptForMs('timeout=5'), 4_000)
  assert.equal(keptForMs('timeout=5, max=100'), 4_000)
  assert.equal(keptForMs('max=100, Timeout = 72'), 60_000)
  assert.equal(keptForMs('timeout=1'), 0)
  assert.equal(keptForMs('timeout=0'), 0)
})

test('what says no time is as if nothing had been said', () => {
  for (const text of ['', 'timeout', 'timeout=', 'timeout=-1', 'xtimeout=9', 'timeout=1234567']) {
    assert.equal(keptForMs(text), KEPT_MS, text)
  }
})
