/**
 * Answers a request from several calls. Its place in the walk is fixed here; what it does with a
 * prepared aggregate belongs to this file alone. Proved by forward.test.ts.
 */
import type { Exchange } from '../../request/exchange.ts'
import { fail } from '../../request/failure.ts'
import type { Outcome } from '../../request/outcome.ts'
import type { PreparedRule, Runtime } from '../../runtime/runtime.ts'
import type { PreparedAggregate } from './prepared-aggregate.ts'

export function aggregate(
  _action: PreparedAggregate,
  _rule: PreparedRule,
  _exchange: Exchange,
  _runtime: Runtime,
): Outcome | Promise<Outcome> {
  return fail('rule-rejected', 'This data plane cannot combine calls yet.')
}
