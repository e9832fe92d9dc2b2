/**
 * Who asks the backend, and who waits.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Boarding, type Flight, Flights } from './flights.ts'

function first(boarding: Boarding): Flight {
  assert(boarding.kind === 'first')
  return boarding.flight
}

test('one asks and the others wait, until it has landed', async () => {
  const flights = new Flights()
  const flight = first(flights.board('a', 0))
  const order: string[] = []
  const waiting = [1, 2].map(async (n) => {
    const boarding = flights.board('a', 1)
    assert(boarding.kind === 'wait')
    await boarding.landed
    order.push(`waiter ${n}`)
  })
  assert.equal(flights.board('b', 1).kind, 'first')
  order.push('landing')
  flight.land('kept')
  await Promise.all(waiting)
  assert.deepEqual(order, ['landing', 'waiter 1', 'waiter 2'])
  assert.equal(flights.board('a', 2).kind, 'first')
})

test('what was not kept is asked for apart, for a while', () => {
  const flights = new Flights()
  first(flights.board('a', 0)).land('notKept')
  assert.equal(flights.board('a', 9_999).kind, 'apart')
  assert.equal(flights.board('a', 10_000).kind, 'first')
})

test('nobody waits for one that is slow, and it holds up nobody afterwards', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const flights = new Flights()
  const slow = first(flights.board('a', 0))
  const boarding = flights.board('a', 1)
  assert(boarding.kind === 'wait')
  t.mock.timers.tick(3_000)
  await boarding.landed
  const next = first(flights.board('a', 3_001))
  slow.land('notKept')
  assert.equal(flights.board('a', 3_002).kind, 'wait')
  next.land('kept')
  assert.equal(flights.underway, 0)
})

test('whatever boards and lands, each answer is asked for once at a time and nothing stays', () => {
  const step = fc.record({ key: fc.constantFrom('a', 'b'), land: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const flights = new Flights()
      const flying = new Map<string, Flight>()
      for (const { key, land } of steps) {
        if (land) {
          flying.get(key)?.land('kept')
          flying.delete(key)
          continue
        }
        const boarding = flights.board(key, 0)
        assert.equal(boarding.kind, flying.has(key) ? 'wait' : 'first')
        if (boarding.kind === 'first') flying.set(key, boarding.flight)
      }
      for (const flight of flying.values()) flight.land('unknown')
      assert.equal(flights.underway, 0)
    }),
  )
})
