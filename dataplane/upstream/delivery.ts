/**
 * How a rule's requests are brought to their backends, made ready when the table arrives: what the
 * rule does not state is filled in here, so that a request only reads.
 * Pinned by delivery.test.ts: "what is not stated is the default".
 */
import type { Delivery, Retry, RetryCause } from '#wire/delivery'
import { type AttemptTimeouts, TIMEOUTS } from './timeouts.ts'

export interface PreparedDelivery {
  readonly timeouts: AttemptTimeouts
  readonly retry: PreparedRetry | null
  readonly hedgeAfterMs: number | null
}

export interface PreparedRetry {
  readonly attempts: number
  readonly causes: ReadonlySet<RetryCause>
  readonly statuses: ReadonlySet<number>
  readonly methods: ReadonlySet<string>
  readonly perTryMs: number | null
  readonly backoffBaseMs: number
  readonly backoffMaxMs: number
  readonly budgetPerMille: number
}

/** Of a rule that states nothing. */
export const DEFAULT_DELIVERY: PreparedDelivery = {
  timeouts: TIMEOUTS,
  retry: null,
  hedgeAfterMs: null,
}

/** Of a call of an aggregate. */
export function callDelivery(retry: Retry | undefined): PreparedDelivery {
  return prepareDelivery(retry === undefined ? undefined : { retry })
}

export function prepareDelivery(delivery: Delivery | undefined): PreparedDelivery {
  if (delivery === undefined) return DEFAULT_DELIVERY
  const { connectMs, firstByteMs, idleMs, retry, hedge } = delivery
  return {
    timeouts: {
      connectMs: connectMs ?? TIMEOUTS.connectMs,
      firstByteMs: firstByteMs ?? TIMEOUTS.firstByteMs,
      idleMs: idleMs ?? TIMEOUTS.idleMs,
    },
    retry: retry === undefined ? null : prepareRetry(retry),
    hedgeAfterMs: hedge?.afterMs ?? null,
  }
}

export function prepareRetry(retry: Retry): PreparedRetry {
  return {
    attempts: retry.attempts,
    causes: new Set(retry.causes),
    statuses: new Set(retry.statuses),
    methods: new Set(retry.methods),
    perTryMs: retry.perTryMs,
    backoffBaseMs: retry.backoff.baseMs,
    backoffMaxMs: retry.backoff.maxMs,
    budgetPerMille: retry.budgetPerMille,
  }
}
