/**
 * Promises of lag.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Member } from '../push/tally.ts'
import { createLag, START_MS } from './lag.ts'

function member(dataPlane: string, version: number | null): Member {
  const nothing = { connectedAtMs: 0, basis: {}, hash: null, rejected: [], refused: null }
  return { gateway: 'fl/public', dataPlane, version, ...nothing }
}

test('a member that goes on acknowledging does not lag', () => {
  const lag = createLag()
  for (let version = 1; version < 20; version += 1) {
    const members = [member('a', version), member('b', version - 1)]
    const look = {
      gateway: 'fl/public',
      members,
      newest: () => version + 1,
      nowMs: version * 500,
      startedMs: -1e9,
    }
    assert.deepEqual(lag.behind(look).lagging, [])
  }
})

test('a member that stands still lags after two seconds, and no longer once it is there', () => {
  const lag = createLag()
  const look = (version: number | null, nowMs: number): readonly string[] =>
    lag.behind({
      gateway: 'fl/public',
      members: [member('a', version)],
      newest: () => 3,
      nowMs,
      startedMs: -1e9,
    }).lagging
  assert.deepEqual(look(2, 0), [])
  assert.deepEqual(look(2, 1_999), [])
  assert.equal(lag.isAnybodyBehind('fl/public'), 'yes')
  assert.deepEqual(look(2, 2_000), ['a'])
  assert.deepEqual(look(3, 2_100), [])
  assert.equal(lag.isAnybodyBehind('fl/public'), 'no')
  assert.deepEqual(look(null, 3_000), [], 'a stream that ends for a moment is no lag')
})

test('a data plane that has not found a controller yet lags once that has had time to start', () => {
  const lag = createLag()
  const look = (nowMs: number): readonly string[] =>
    lag.behind({
      gateway: 'fl/public',
      members: [member('a', null)],
      newest: () => 1,
      nowMs,
      startedMs: 0,
    }).lagging
  assert.deepEqual(look(0), [])
  assert.deepEqual(look(START_MS - 1), [])
  assert.deepEqual(look(START_MS), ['a'])
})
