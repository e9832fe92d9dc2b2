/**
 * Answers a request from several calls: all that nothing orders at once, one deadline for all, and
 * an answer that says what is missing from it.
 * Pinned by aggregate-run.test.ts: "every aggregate agrees with its plain twin".
 */
import { monotonicMs } from '../../clock.ts'
import type { Exchange } from '../../request/exchange.ts'
import { fail } from '../../request/failure.ts'
import type { Outcome } from '../../request/outcome.ts'
import type { PreparedRule, Runtime } from '../../runtime/runtime.ts'
import { answerOf, failureOf } from './aggregate-answer.ts'
import { AggregateRun, type Finished } from './aggregate-run.ts'
import type { PreparedAggregate } from './prepared-aggregate.ts'

export function aggregate(
  action: PreparedAggregate,
  _rule: PreparedRule,
  exchange: Exchange,
  runtime: Runtime,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const run = new AggregateRun(action, { exchange, upstream: runtime.upstream }, (finished) => {
      exchange.upstreamHeadMs = monotonicMs()
      resolve(outcomeOf(finished, action, exchange, run))
    })
    exchange.answer.onAbort(() => {
      run.abort()
      // The run says nothing more; the exchange still has to be recorded, and to give back its limits.
      resolve(fail('client-closed', 'The client closed the connection.'))
    })
    run.start()
  })
}

function outcomeOf(
  finished: Finished,
  action: PreparedAggregate,
  exchange: Exchange,
  run: AggregateRun,
): Outcome {
  if (finished.kind === 'failed') return failureOf(finished.by, finished.failure)
  const { outcome, partial } = answerOf(action, finished, run.scope)
  exchange.partial = partial === 'yes'
  return outcome
}
