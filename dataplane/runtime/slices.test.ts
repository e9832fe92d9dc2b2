/**
 * Proves that sliced work lets others have their turn, and comes to the same.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inOneGo, inSlices, type Sliced } from './slices.ts'

function* sum(to: number, step: () => void = () => undefined): Sliced<number> {
  let total = 0
  for (let i = 1; i <= to; i++) {
    total += i
    step()
    yield
  }
  return total
}

test('work in slices comes to what it comes to in one go', async () => {
  assert.equal(inOneGo(sum(100)), 5050)
  assert.equal(await inSlices(sum(100), 0, () => 0), 5050)
  assert.equal(await inSlices(sum(0), 1, () => 0), 0)
})

test('between two slices others have their turn', async () => {
  let nowMs = 0
  let turns = 0
  let longest = 0
  let since = 0
  const watch = (): void => {
    turns++
    since = nowMs
    if (turns < 1_000) setImmediate(watch)
  }
  setImmediate(watch)
  const work = sum(100, () => {
    nowMs++
    longest = Math.max(longest, nowMs - since)
  })
  await inSlices(work, 4, () => nowMs)
  assert.ok(turns >= 20, `${turns} turns`)
  assert.ok(longest <= 8, `${longest} ms in one piece`)
  turns = 1_000
})
