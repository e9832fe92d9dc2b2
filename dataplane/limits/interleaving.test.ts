/**
 * Proves rate-table.ts and gauge-table.ts where threads come in each other's way: an operation is
 * stopped at each of its steps while every short sequence of others runs.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyOf } from './fake/hammer.ts'
import { interleaved, scripts } from './fake/interleave.ts'
import { memory } from './fake/limit.ts'
import { GaugeTable, REFUSED } from './gauge-table.ts'
import { rateParts } from './gcra.ts'
import { type Charge, RateTable } from './rate-table.ts'
import { WAYS } from './shared.ts'

interface Actors<Move> {
  run(move: Move): void
}

/** Stops `stopped` at every step; in each of the worlds all scripts of up to three moves run. */
function everywhere<Move, World extends Actors<Move>>(
  worlds: readonly (() => World)[],
  stopped: Move,
  moves: readonly Move[],
  check: (world: World, what: string) => void,
): void {
  for (const script of scripts(moves, 3)) {
    for (const [i, newWorld] of worlds.entries()) {
      let how: 'stopped' | 'tooShort' = 'stopped'
      for (let step = 0; how === 'stopped'; step++) {
        const world = newWorld()
        const meanwhile = (): void => script.forEach((move) => world.run(move))
        how = interleaved(() => world.run(stopped), step, meanwhile).stopped
        check(world, `world ${i}, ${String(stopped)} stopped at ${step} for ${script.join()}`)
      }
    }
  }
}

const parts = rateParts({ count: 3, periodMs: 3_600_000, burst: 3 }, 1)
const NOW = 1_000n
type RateMove = 'take' | 'other' | 'turn' | 'takeAndGiveBack'

class Rates implements Actors<RateMove> {
  readonly #table = new RateTable(memory({ rateSlots: 8, gaugeSlots: WAYS }))
  admitted = 0
  #old: 'empty' | 'full' = 'empty'

  constructor(before: readonly RateMove[]) {
    for (const move of before) this.run(move)
  }

  run(move: RateMove): void {
    switch (move) {
      case 'take':
        if (this.#take(0).kind === 'admitted') this.admitted++
        return
      case 'other':
        this.#take(1)
        return
      case 'turn':
        // main empties the old table before it brings it into use again
        if (this.#old === 'full') this.#table.empty()
        this.#table.turn(NOW)
        this.#old = 'full'
        return
      case 'takeAndGiveBack':
        this.#takeAndGiveBack()
        return
      default:
        move satisfies never
    }
  }

  #takeAndGiveBack(): void {
    const charge = this.#take(0)
    if (charge.kind === 'admitted') this.#table.giveBack(charge, NOW)
  }

  #take(n: number): Charge {
    return this.#table.take(keyOf(n), { nowNs: NOW, takeNs: parts.intervalNs, parts })
  }
}

const RATES = scripts(['take', 'turn'] as const, 2).map((before) => () => new Rates(before))

const WHILE_TAKING: readonly RateMove[] = ['take', 'other', 'turn']

for (const stopped of ['take', 'turn', 'takeAndGiveBack'] as const) {
  test(`a rate is never exceeded, wherever a ${stopped} is stopped`, () => {
    // main is one thread: nothing turns while it turns
    const moves: readonly RateMove[] = stopped === 'turn' ? ['take', 'other'] : WHILE_TAKING
    everywhere(RATES, stopped, moves, (rates: Rates, what) => {
      for (let i = 0; i < 4; i++) rates.run('take')
      assert.ok(rates.admitted <= 3, `${rates.admitted} of 3 were admitted: ${what}`)
    })
  })
}

type GaugeMove = 'takeHere' | 'takeThere' | 'releaseThere' | 'other'

/** Two workers on one set of slots. */
class Gauges implements Actors<GaugeMove> {
  readonly #here: GaugeTable
  readonly #there: GaugeTable
  readonly #heldThere: number[] = []
  #strangers = 1_000
  held = 0

  /** `own`: idle slots of the key; all others belong to idle strangers, or to nobody. */
  constructor(own: number, others: 'strangers' | 'nobody') {
    const shared = memory({ rateSlots: 8, gaugeSlots: WAYS })
    this.#here = new GaugeTable(shared, 0)
    this.#there = new GaugeTable(shared, 1)
    const keys = new Int32Array(shared.gauges.keys)
    for (let way = 0; way < WAYS; way++) {
      if (way >= own && others === 'nobody') continue
      const { words } = keyOf(way < own ? 0 : 100 + way)
      for (const [i, word] of words.entries()) keys[i * WAYS + way] = word
    }
  }

  run(move: GaugeMove): void {
    switch (move) {
      case 'takeHere':
        if (this.#here.take(keyOf(0), 1) !== REFUSED) this.held++
        return
      case 'takeThere':
        this.#takeThere()
        return
      case 'releaseThere':
        for (const slot of this.#heldThere.splice(0, 1)) {
          this.held--
          this.#there.release(slot)
        }
        return
      case 'other':
        // a key that stays, in a slot that it takes over
        this.#there.take(keyOf(this.#strangers++), 1)
        return
      default:
        move satisfies never
    }
  }

  #takeThere(): void {
    const slot = this.#there.take(keyOf(0), 1)
    if (slot === REFUSED) return
    this.held++
    this.#heldThere.push(slot)
  }
}

const GAUGES = [
  () => new Gauges(0, 'nobody'),
  () => new Gauges(0, 'strangers'),
  () => new Gauges(1, 'strangers'),
  () => new Gauges(2, 'strangers'),
]

for (const stopped of ['takeHere', 'other'] as const) {
  test(`a gauge never holds more than its limit, wherever a ${stopped} is stopped`, () => {
    everywhere(GAUGES, stopped, ['takeThere', 'releaseThere', 'other'], (gauges: Gauges, what) => {
      gauges.run('takeHere')
      gauges.run('takeThere')
      assert.ok(gauges.held <= 1, `${gauges.held} of 1 are held: ${what}`)
    })
  })
}

test('nor where a slot that is being taken over turns out to be in use', () => {
  // two stops: a take before the mark is set, and one before it is withdrawn
  const moves = ['takeThere', 'takeHere', 'releaseThere'] as const
  for (const [first, second] of moves.flatMap((one) => moves.map((two) => [one, two] as const))) {
    for (let step = 0, how = 'stopped'; how === 'stopped'; step++) {
      for (let gap = 0, later = 'stopped'; later === 'stopped'; gap++) {
        const gauges = new Gauges(1, 'strangers')
        const outer = interleaved(
          () =>
            interleaved(
              () => gauges.run('other'),
              step,
              () => gauges.run(first),
            ).stopped,
          step + gap,
          () => gauges.run(second),
        )
        how = outer.result
        later = outer.stopped
        assert.ok(gauges.held <= 1, `${first} at ${step}, ${second} at ${step + gap}`)
      }
    }
  }
})
