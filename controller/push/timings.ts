/**
 * How long streams wait for what, in one place so that tests can hold them.
 */
import { COMMIT_EVERY_MS, PING_EVERY_MS } from '#wire/limits'

export interface Timings {
  readonly pingEveryMs: number
  /** A connection whose pings (HTTP/2's own) stay unanswered for so long is dead. */
  readonly silenceMs: number
  /** After a refusal. */
  readonly commitEveryMs: number
  /** A table of 10,000 routes is swapped in well under a second; a hung worker is replaced in 6 s. */
  readonly ackWithinMs: number
  /** A reader that takes nothing for so long does not read at all. */
  readonly drainWithinMs: number
  /** From the connection to an accepted token and its `resume`. */
  readonly helloWithinMs: number
  /** Between two looks at a token that was good: its pod may be gone, or its gateway another. */
  readonly checkEveryMs: number
  /** Streams end after this, give or take a fifth, so that data planes spread over new replicas. */
  readonly ageMs: number
}

export const TIMINGS: Timings = {
  pingEveryMs: PING_EVERY_MS,
  silenceMs: 3 * PING_EVERY_MS,
  commitEveryMs: COMMIT_EVERY_MS,
  ackWithinMs: 3 * PING_EVERY_MS,
  drainWithinMs: 3 * PING_EVERY_MS,
  helloWithinMs: 10_000,
  checkEveryMs: 60_000,
  ageMs: 30 * 60_000,
}
