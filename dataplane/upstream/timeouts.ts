/**
 * How long one attempt waits for what, where its rule says nothing else. Prepared with the rule and
 * shared by all its requests; the deadline of the whole stands in each request.
 * Proved by http1-lane-timeouts.test.ts.
 */

import { IDLE_TIMEOUT_MS } from '#wire/limits'

export interface AttemptTimeouts {
  /** For a connection. */
  readonly connectMs: number
  /** From the request's last byte to the answer's head. */
  readonly firstByteMs: number
  /** In which the backend neither takes nor gives a byte, though it is its turn. */
  readonly idleMs: number
}

export const TIMEOUTS: AttemptTimeouts = {
  // Longer than any healthy handshake inside a cluster, and short enough to try a second pod.
  connectMs: 2_000,
  // The deadline of the whole ends it sooner.
  firstByteMs: Number.POSITIVE_INFINITY,
  // Longer than the pings of event streams, most of which come every 15 to 30 s.
  idleMs: IDLE_TIMEOUT_MS,
}
