/**
 * What main does for the limits that workers count: it makes room in the table of rates, and frees
 * what a dead worker held. Workers never wait for it.
 * Pinned by keeper.test.ts: "a worker that is ended in the middle of requests frees its gauge".
 */
import { GaugeTable } from './gauge-table.ts'
import { RateTable } from './rate-table.ts'
import { HEADER, type LimitMemory } from './shared.ts'

/** How often `sweep` is to be called. At 50,000 new keys a second the table just holds. */
export const SWEEP_EVERY_MS = 1_000

export class LimitKeeper {
  readonly #rates: RateTable
  readonly #gauges: GaugeTable
  readonly #header: Int32Array
  readonly #claimsToTurn: number
  #old: 'empty' | 'toBeEmptied' = 'empty'

  constructor(memory: LimitMemory) {
    this.#rates = new RateTable(memory)
    this.#gauges = new GaugeTable(memory, 0)
    this.#header = new Int32Array(memory.header)
    this.#claimsToTurn = memory.rates[0].moments.byteLength / 8 / 4
  }

  /**
   * The old table is emptied one call after it went out of use: no take lasts that long. A table is
   * replaced when it is filled to half of what it may hold.
   */
  sweep(nowNs: bigint = process.hrtime.bigint()): void {
    if (this.#old === 'toBeEmptied') {
      this.#rates.empty()
      this.#old = 'empty'
    } else if (this.#rates.claimed() >= this.#claimsToTurn) {
      this.#rates.turn(nowNs)
      this.#old = 'toBeEmptied'
    }
  }

  /** A worker is gone: call it before another one takes its column. */
  freeColumn(column: number): void {
    this.#gauges.clearColumn(column)
  }

  /** For metrics. `overflowed`: takes since the start that found no room of their own. */
  standing(): { readonly buckets: number; readonly overflowed: number } {
    return {
      buckets: this.#rates.claimed(),
      overflowed: Atomics.load(this.#header, HEADER.overflowed) >>> 0,
    }
  }
}
