/**
 * Whether a request may be tried again, and after how long: pure, so that the rules stand in one
 * place. Never where an unsafe request may have been acted upon, unless the rule names its method.
 * Pinned by retry.test.ts: "agrees with the plain reading of the rules".
 */
import { RETRY_BUDGET_MIN } from '#wire/limits'
import type { RetryCause } from '#wire/delivery'
import type { Failure } from '../request/failure.ts'
import type { PreparedRetry } from './delivery.ts'

/** Endpoints tried while none was reached; a fourth would only add to the client's wait. */
const CONNECTS_MAX = 3

/** RFC 9110 section 9.2.1: they are not expected to change anything. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** What has become of a request so far. */
export interface Tries {
  readonly method: string
  /** Attempts that were made, the failed one included; those that `again` has asked for are not. */
  readonly made: number
  /** `stale`: times that an idle connection turned out to be closed. */
  readonly stale: number
  /** Of the body: none, all of it could be sent once more, or some of it is gone. */
  readonly body: 'none' | 'kept' | 'gone'
  readonly turn: 'fresh' | 'reused'
}

/**
 * no: the failure is the answer. elsewhere: at once, at an endpoint that was not tried. again: at
 * once, wherever. later: after a wait, and only within the budget.
 */
export type Verdict = 'no' | 'elsewhere' | 'again' | 'later'

export function afterFailure(failure: Failure, tries: Tries, retry: PreparedRetry | null): Verdict {
  if (tries.body === 'gone') return 'no'
  if (failure.retry === 'always') return afterConnect(tries, retry)
  const cause = causeOf(failure)
  if (cause === null) return 'no'
  if (wasUnseen(failure, tries)) return 'again'
  if (retry === null || !retry.causes.has(cause)) return 'no'
  return mayAct(tries, retry)
}

/** The other side may have closed the idle connection while the request was on its way. */
function wasUnseen(failure: Failure, { turn, stale, body, method }: Tries): boolean {
  if (failure.retry !== 'ifReused' || turn === 'fresh' || stale > 0) return false
  return body === 'none' && SAFE.has(method)
}

/** No connection came about: nothing was sent, whatever the method. */
function afterConnect(tries: Tries, retry: PreparedRetry | null): Verdict {
  if (retry === null) return tries.made < CONNECTS_MAX ? 'elsewhere' : 'no'
  if (!retry.causes.has('connect') || tries.made >= retry.attempts) return 'no'
  return 'later'
}

export function afterStatus(status: number, tries: Tries, retry: PreparedRetry | null): Verdict {
  if (retry === null || !retry.statuses.has(status) || tries.body === 'gone') return 'no'
  return mayAct(tries, retry)
}

function mayAct(tries: Tries, retry: PreparedRetry): Verdict {
  return tries.made < retry.attempts && retry.methods.has(tries.method) ? 'later' : 'no'
}

function causeOf({ cause }: Failure): RetryCause | null {
  switch (cause) {
    case 'upstream-reset':
      return 'reset'
    case 'upstream-timeout':
      return 'timeout'
    default:
      return null
  }
}

/** Full jitter: clients that failed together do not come back together. */
export function backoffMs(retry: PreparedRetry, made: number, random: () => number): number {
  const bound = Math.min(retry.backoffMaxMs, retry.backoffBaseMs * 2 ** (made - 1))
  return random() * bound
}

/** `attempts`, `extra`: of the backend, under way over all workers. */
export function withinBudget(perMille: number, attempts: number, extra: number): 'yes' | 'no' {
  return extra < Math.max(RETRY_BUDGET_MIN, (attempts * perMille) / 1000) ? 'yes' : 'no'
}

export function isSafe(method: string): 'yes' | 'no' {
  return SAFE.has(method) ? 'yes' : 'no'
}
