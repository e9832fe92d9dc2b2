/**
 * Proves memory.ts. What a data plane does under pressure is proved by test/crash/memory.test.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesHeld, MemoryBoard, MemoryKeeper, memoryLimit } from './memory.ts'

const MB = 1024 * 1024

test('pressure rises with what is held, and falls when it is given back', () => {
  const board = MemoryBoard.for(2)
  let resident = 60 * MB
  const keeper = new MemoryKeeper({
    board,
    limitBytes: 1_000 * MB,
    resident: () => resident,
    held: () => 0,
  })
  const at = (held: number): number => {
    board.holds(0, held * MB * 0.75)
    board.holds(1, held * MB * 0.25)
    resident = Math.max(resident, (60 + held) * MB)
    keeper.look()
    return new MemoryBoard(board.shared).pressure
  }
  assert.equal(at(0), 0)
  assert.deepEqual([780, 791, 850, 861, 880, 891].map(at), [0, 1, 1, 2, 2, 3])
  assert.deepEqual([880, 869, 850, 839, 780, 769].map(at), [3, 2, 2, 1, 1, 0])
  // The allocator has kept all of it: that is no reason to refuse anybody.
  assert.equal(resident, 951 * MB)
  assert.equal(keeper.used, (60 + 769) * MB)
})

test('without a limit there is no pressure', () => {
  const board = MemoryBoard.for(1)
  const keeper = new MemoryKeeper({ board, limitBytes: null, resident: () => 1e12, held: () => 0 })
  keeper.look()
  assert.equal(board.pressure, 0)
})

test('the limit is what the operator says, else what the cgroup says', () => {
  assert.equal(memoryLimit(5, 7, 9), 5)
  assert.equal(memoryLimit(null, 7, 9), 7)
  assert.equal(memoryLimit(null, 0, 9), null)
  assert.equal(memoryLimit(null, 2 ** 64, 9), null)
})

test('buffers count', () => {
  const before = bytesHeld()
  const buffer = Buffer.alloc(64 * MB)
  assert.ok(bytesHeld() - before > 60 * MB)
  assert.equal(buffer.length, 64 * MB)
})
