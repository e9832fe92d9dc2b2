/**
 * Finds the rule that takes the request, first of all phases: everything that follows is the rule's.
 * A preflight belongs to the rule that would take the request which it asks for.
 * Pinned by match.test.ts: "a request that no rule takes is answered, and says why".
 */
import type { Exchange } from '../request/exchange.ts'
import { CONTINUE, type Outcome } from '../request/outcome.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { requestedMethod } from './cors.ts'

export function match(exchange: Exchange, runtime: Runtime): Outcome {
  const method = exchange.method === 'OPTIONS' ? requestedMethod(exchange) : null
  if (method !== null && matchAsked(exchange, method, runtime) === 'found') return CONTINUE
  return runtime.table.matcher.match(exchange) ?? CONTINUE
}

/** Where that rule says nothing of other origins, the preflight is a request like any other. */
function matchAsked(exchange: Exchange, method: string, runtime: Runtime): 'found' | 'none' {
  const asked: Exchange = { ...exchange, method }
  if (runtime.table.matcher.match(asked) !== null || (asked.rule?.cors ?? null) === null) {
    return 'none'
  }
  exchange.rule = asked.rule
  exchange.params = asked.params
  exchange.rest = asked.rest
  return 'found'
}
