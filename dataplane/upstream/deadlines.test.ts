/**
 * Proves the wheel of deadlines against a sorted list, with the clock held.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Deadline, Deadlines, TICK_MS } from './deadlines.ts'

/** What it must do, by looking at all of them each time. */
class PlainDeadlines {
  readonly #waiting = new Map<number, number>()
  add(id: number, atMs: number): void {
    this.#waiting.set(id, atMs)
  }
  cancel(id: number): void {
    this.#waiting.delete(id)
  }
  due(nowMs: number): number[] {
    const due = [...this.#waiting].filter(([, atMs]) => atMs <= nowMs).map(([id]) => id)
    for (const id of due) this.#waiting.delete(id)
    return due.toSorted((a, b) => a - b)
  }
}

test('every deadline fires once, within a tick of its time, in no case before', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), inMs: fc.integer({ min: -20, max: 12_000 }) }),
    fc.record({ kind: fc.constant('cancel' as const), nth: fc.nat(50) }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(7_000) }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(30) }),
  )
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      (steps, startMs) => {
        let nowMs = startMs
        const wheel = new Deadlines(() => nowMs)
        const plain = new PlainDeadlines()
        const made: Deadline[] = []
        const fired: number[] = []
        for (const one of steps) {
          if (one.kind === 'add') {
            const id = made.length
            const atMs = nowMs + one.inMs
            plain.add(id, atMs)
            made.push(wheel.add(atMs, { expire: () => void fired.push(id) }))
          } else if (one.kind === 'cancel') {
            made[one.nth]?.cancel()
            plain.cancel(one.nth)
          } else {
            nowMs += one.ms
            wheel.turn()
            // A tick later nothing that is due may be left.
            const expected = plain.due(nowMs)
            nowMs = (Math.floor(nowMs / TICK_MS) + 1) * TICK_MS
            wheel.turn()
            const since = plain.due(nowMs)
            const all = [...expected, ...since].toSorted((a, b) => a - b)
            assert.deepEqual(
              fired.splice(0).toSorted((a, b) => a - b),
              all,
            )
          }
        }
        wheel.stop()
      },
    ),
    { numRuns: 500 },
  )
})

test('a deadline that cancels its neighbours and makes new ones does no harm', () => {
  let nowMs = 0
  const wheel = new Deadlines(() => nowMs)
  const fired: string[] = []
  const all: Deadline[] = []
  for (const name of ['a', 'b', 'c', 'd']) {
    all.push(
      wheel.add(20, {
        expire: () => {
          fired.push(name)
          for (const other of all) other.cancel()
          wheel.add(25, { expire: () => void fired.push('next') })
        },
      }),
    )
  }
  nowMs = 30
  wheel.turn()
  assert.equal(fired.length, 1)
  nowMs = 40
  wheel.turn()
  assert.equal(fired.at(-1), 'next')
  wheel.stop()
})

test('it runs by itself, and keeps no process alive', async () => {
  const now = (): number => performance.now()
  const wheel = new Deadlines(now)
  const atMs = now() + 25
  await new Promise<void>((resolve) => {
    const alive = setTimeout(() => undefined, 1_000)
    wheel.add(atMs, {
      expire: () => {
        clearTimeout(alive)
        resolve()
      },
    })
  })
  assert.ok(now() >= atMs)
  wheel.stop()
})
