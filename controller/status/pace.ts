/**
 * How fast the status writer may write: a bucket that fills at a steady rate, so that a large change
 * leaves most of the API server to everyone else.
 * Pinned by pace.test.ts: "no second has more writes than the rate and one burst".
 */

/** The API server takes 210–300 of them a second; two thirds are left to everyone else. */
export const WRITES_PER_S = 100
export const BURST = 16

export interface Pace {
  take(): 'taken' | 'wait'
  /** What has to be written anyway, and is made up for later. */
  spend(): void
}

export function createPace(now: () => number): Pace {
  let tokens = BURST
  let atMs = now()

  function fill(): void {
    const nowMs = now()
    tokens = Math.min(BURST, tokens + ((nowMs - atMs) * WRITES_PER_S) / 1000)
    atMs = nowMs
  }

  return {
    take() {
      fill()
      if (tokens < 1) return 'wait'
      tokens -= 1
      return 'taken'
    },
    spend() {
      tokens -= 1
    },
  }
}
