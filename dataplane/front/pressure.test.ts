/**
 * Proves pressure.ts with a real front and real connections; test/crash/memory.test.ts proves it
 * with real memory.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { get, raw } from '../fake/plane.ts'
import { MemoryBoard, type Pressure } from '../memory.ts'
import { until } from '../upstream/fake/recorder.ts'
import { HOST, ok, startFront } from './fake/front.ts'
import { collector, PressureValve } from './pressure.ts'

const GET = `GET / HTTP/1.1\r\n${HOST}\r\n`

test('idle connections go first, then requests, then connections', async (t) => {
  const board = MemoryBoard.for(1)
  const { front, port, exchanges } = await startFront(t, () => ok('well'))
  const collected: number[] = []
  const clock = { nowMs: 0 }
  const valve = new PressureValve({
    board,
    column: 0,
    front,
    held: () => 77,
    now: () => clock.nowMs,
    collect: () => void collected.push(clock.nowMs),
  })
  const at = (pressure: Pressure): void => {
    board.pressure = pressure
    valve.look()
  }
  const kept = (): ReturnType<typeof raw> => raw(t, port, GET)
  const [one, two] = [kept(), kept()]
  await until('both are served', () => one.text.endsWith('well') && two.text.endsWith('well'))
  at(0)
  assert.equal(board.held, 77)
  one.socket.write(GET)
  await until('it was left alone', () => exchanges.length === 3)
  at(1)
  assert.deepEqual([one.state, two.state], ['open', 'open'])
  await until('it is answered', () => one.text.split('well').length === 3)
  at(1)
  clock.nowMs = 999
  at(1)
  clock.nowMs = 1_000
  at(1)
  await until('both are closed', () => one.state === 'closed' && two.state === 'closed')
  assert.equal(refusalOf(valve), null)
  at(2)
  assert.equal(refusalOf(valve), 'overloaded')
  assert.equal((await get(port, '/')).status, 200)
  at(3)
  await assert.rejects(get(port, '/'))
  at(0)
  assert.equal((await get(port, '/')).status, 200)
  assert.equal(refusalOf(valve), null)
  assert.deepEqual(collected, [1_000])
  clock.nowMs = 2_000
  at(2)
  assert.deepEqual(collected, [1_000, 2_000])
})

function refusalOf(valve: PressureValve): string | null {
  return valve.refusal?.cause ?? null
}

test('what nobody holds is collected at once', () => {
  const gone = new WeakRef({ name: 'gone' })
  const collect = collector()
  return new Promise<void>((done) => {
    setImmediate(() => {
      collect()
      assert.equal(gone.deref(), undefined)
      done()
    })
  })
})
