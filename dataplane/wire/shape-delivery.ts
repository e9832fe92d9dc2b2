/**
 * Shapes of how requests are brought to backends (delivery.ts).
 * Pinned by check.test.ts: "nothing is accepted that the plain twin refuses".
 */
import type { Circuit, Delivery, Health, Hedge, Outliers, Retry } from './delivery.ts'
import { ATTEMPTS_MAX } from './limits.ts'
import { integer, list, nullable, object, oneOf, optional, pattern, waitMs } from './shape.ts'

const method = pattern(/^[!#$%&'*+.^_`|~0-9A-Z-]+$/, 'a method in upper case', 64)

export const retry = object<Retry>({
  attempts: integer(1, ATTEMPTS_MAX),
  causes: list(oneOf(['connect', 'reset', 'timeout'])),
  statuses: list(integer(400, 599)),
  methods: list(method),
  perTryMs: nullable(waitMs),
  backoff: object<Retry['backoff']>({ baseMs: waitMs, maxMs: waitMs }),
  budgetPerMille: integer(0, 1000),
})

export const delivery = object<Delivery>({
  connectMs: optional(waitMs),
  firstByteMs: optional(waitMs),
  idleMs: optional(waitMs),
  retry: optional(retry),
  hedge: optional(object<Hedge>({ afterMs: waitMs })),
})

/** What an ApiBackend may say; far beyond what one data plane can carry. */
const BOUND_MAX = 1_000_000
export const circuit = object<Circuit>({ requests: optional(integer(1, BOUND_MAX)) })

const perMille = integer(0, 1000)
export const health = object<Health>({
  outliers: object<Outliers>({
    errors: integer(1, BOUND_MAX),
    gatewayErrors: optional(integer(1, BOUND_MAX)),
    successPerMille: optional(perMille),
    ejectionMs: waitMs,
    ejectionMaxMs: waitMs,
    outMaxPerMille: perMille,
  }),
  panicPerMille: perMille,
})
