/**
 * A rate as one data plane counts it: how many share it may change with any table, and is divided
 * out once, not per request.
 * Pinned by local-rate.test.ts: "all data planes together never get more than the rate".
 */
import type { Rate } from '#wire/rate-limit'
import { type RateParts, rateParts } from './gcra.ts'

export class LocalRate {
  readonly rate: Rate
  #dataPlanes = 0
  #parts: RateParts | null = null

  constructor(rate: Rate) {
    this.rate = rate
  }

  parts(dataPlanes: number): RateParts {
    if (this.#parts !== null && this.#dataPlanes === dataPlanes) return this.#parts
    this.#dataPlanes = dataPlanes
    this.#parts = rateParts(this.rate, dataPlanes)
    return this.#parts
  }
}
