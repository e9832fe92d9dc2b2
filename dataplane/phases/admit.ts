/**
 * Takes the limits of the matched rule, all of a stage or none. Those before authentication protect
 * what authenticating costs; the others come after it, so that keys can name the Consumer, and
 * before forward, so that a refused request costs the backend nothing.
 * Pinned by admit.test.ts: "a refused request holds nothing of its stage".
 */
import assert from 'node:assert/strict'
import type { PreparedLimit, TakeResult } from '../limits/limiter.ts'
import type { Exchange } from '../request/exchange.ts'
import { fail, type Failure } from '../request/failure.ts'
import { CONTINUE, type Outcome } from '../request/outcome.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { BEARER_CHALLENGE } from './authenticate/challenge.ts'

export function admitBeforeAuth(exchange: Exchange, runtime: Runtime): Outcome {
  assert(exchange.rule !== null, 'match has set the rule')
  const limits = exchange.rule.limitsBeforeAuth
  return limits === null ? CONTINUE : takeAll(limits, exchange, runtime)
}

export function admit(exchange: Exchange, runtime: Runtime): Outcome {
  assert(exchange.rule !== null, 'match has set the rule')
  const limits = exchange.rule.limitsAfterAuth
  return limits === null ? CONTINUE : takeAll(limits, exchange, runtime)
}

function takeAll(
  limits: readonly PreparedLimit[],
  exchange: Exchange,
  { limiter, table }: Runtime,
): Outcome {
  const result = limiter.take(limits, exchange, table.gateway.dataPlanes)
  switch (result.kind) {
    case 'admitted':
      keep(exchange, result)
      return CONTINUE
    case 'refused':
      keep(exchange, { standings: result.standings, held: [], observed: [] })
      return refusal(result)
    case 'keyMissing':
      return missingKey(result.by, exchange)
    default:
      return result satisfies never
  }
}

/** What the stage before has taken stays taken until the exchange ends. */
function keep(exchange: Exchange, more: NonNullable<Exchange['taken']>): void {
  const before = exchange.taken
  exchange.taken =
    before === null
      ? more
      : {
          standings: [...before.standings, ...more.standings],
          held: [...before.held, ...more.held],
          observed: [...before.observed, ...more.observed],
        }
}

function refusal({ by, retryAfterS }: Extract<TakeResult, { kind: 'refused' }>): Failure {
  const headers = ['retry-after', `${retryAfterS}`]
  const { name } = by.limit
  return by.measure.kind === 'rate'
    ? fail('rate-limited', `The limit "${name}" is used up; wait ${retryAfterS} s.`, headers)
    : fail('concurrency-limited', `The limit "${name}" of requests at once is reached.`, headers)
}

/** Whoever is not known can help it by saying who they are. */
function missingKey({ limit }: PreparedLimit, { caller, rule }: Exchange): Failure {
  const what = `The limit "${limit.name}" needs to know whom to count.`
  if (limit.stage === 'beforeAuth' || caller?.anonymous === false) {
    return fail('limit-key-missing', what)
  }
  const auth = rule?.auth ?? null
  const challenge = auth?.kind === 'policy' ? auth.challenge : BEARER_CHALLENGE
  return fail('unauthenticated', what, challenge)
}
