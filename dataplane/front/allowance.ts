/**
 * How often a client may do what costs us more than it: so many at once, and so many a second.
 * Pinned by allowance.test.ts: "any window admits at most its burst and what came back in it".
 */
export interface Pace {
  readonly burst: number
  readonly perSecond: number
}

export class Allowance {
  readonly #pace: Pace
  #left: number
  #atMs: number

  constructor(pace: Pace, nowMs: number) {
    this.#pace = pace
    this.#left = pace.burst
    this.#atMs = nowMs
  }

  /** spent: there was none left. */
  take(nowMs: number): 'left' | 'spent' {
    const { burst, perSecond } = this.#pace
    this.#left = Math.min(burst, this.#left + ((nowMs - this.#atMs) / 1_000) * perSecond)
    this.#atMs = nowMs
    if (this.#left < 1) return 'spent'
    this.#left--
    return 'left'
  }
}
