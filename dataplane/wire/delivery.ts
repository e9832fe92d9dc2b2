/**
 * How a rule's requests are brought to its backends: times, tries, choice among endpoints, health and
 * bounds. A leaf: types only. What a rule does not state is absent, and then the default holds.
 * Pinned by check.test.ts: "every kind with every variant is accepted, by the plain twin too".
 */

export interface Delivery {
  /** Until a connection has taken an attempt. */
  readonly connectMs?: number
  /** Of an attempt: from then to the head of the answer. */
  readonly firstByteMs?: number
  /** Of an answer: without a byte of it while the client would take some. */
  readonly idleMs?: number
  readonly retry?: Retry
  readonly hedge?: Hedge
}

export interface Retry {
  /** In all, the first one included. */
  readonly attempts: number
  readonly causes: readonly RetryCause[]
  readonly statuses: readonly number[]
  /** That may be sent again although a server may have acted on them. */
  readonly methods: readonly string[]
  readonly perTryMs: number | null
  /** The wait before the nth retry is drawn from 0 to base × 2ⁿ⁻¹, at most max. */
  readonly backoff: { readonly baseMs: number; readonly maxMs: number }
  /** Extra attempts under way, in thousandths of all requests of the backend under way. */
  readonly budgetPerMille: number
}
export type RetryCause = 'connect' | 'reset' | 'timeout'

/** A second attempt of a safe request where the first has not answered by then. */
export interface Hedge {
  readonly afterMs: number
}

/** Of a backend: what it may be given at once by one data plane, over all workers. */
export interface Circuit {
  /** Attempts under way. */
  readonly requests?: number
}
