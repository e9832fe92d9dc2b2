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

/** Of a backend: when endpoints are taken out of use, and when they are used all the same. */
export interface Health {
  readonly outliers: Outliers
  /** Where fewer endpoints are left, all are used. */
  readonly panicPerMille: number
}

/** 5xx, and no answer at all, are errors; of these 502, 503, 504 and no answer are the gateway's. */
export interface Outliers {
  /** In a row. */
  readonly errors: number
  readonly gatewayErrors?: number
  /** Fewer answers than this without error take an endpoint out. */
  readonly successPerMille?: number
  /** Times the ejections that have followed each other, up to the other. */
  readonly ejectionMs: number
  readonly ejectionMaxMs: number
  /** Of the endpoints; one may be in any case, where another is left. */
  readonly outMaxPerMille: number
}
