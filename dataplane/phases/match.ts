/**
 * Finds the rule that takes the request, first of all phases: everything that follows is the rule's.
 * Pinned by match.test.ts: "a request that no rule takes is answered, and says why".
 */
import type { Exchange } from '../request/exchange.ts'
import { CONTINUE, type Outcome } from '../request/outcome.ts'
import type { Runtime } from '../runtime/runtime.ts'

export function match(exchange: Exchange, runtime: Runtime): Outcome {
  return runtime.table.matcher.match(exchange) ?? CONTINUE
}
