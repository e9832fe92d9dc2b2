/**
 * Has the request answered, as the rule says: by a backend, by several, or by the gateway itself.
 * The last phase on the way in; what it returns is the answer.
 * Pinned by forward.test.ts: "every kind of action answers".
 */
import assert from 'node:assert/strict'
import type { Exchange } from '../request/exchange.ts'
import type { Outcome } from '../request/outcome.ts'
import { after, type Soon } from '../request/walk.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { concerns, stored } from './cache.ts'
import { aggregate } from './forward/aggregate.ts'
import { redirect, reject, respondFixed } from './forward/fixed.ts'
import { notMistaken } from './forward/handshake.ts'
import { proxy } from './forward/proxy.ts'

export function forward(exchange: Exchange, runtime: Runtime): Soon<Outcome> {
  const made = answered(exchange, runtime)
  const outcome =
    exchange.upgrade === null ? made : after(made, (one) => notMistaken(one, exchange))
  if (concerns(exchange) === 'no') return outcome
  // Storing may fail, which a promise tells the walk.
  return Promise.resolve(outcome).then((one) => stored(one, exchange, runtime))
}

function answered(exchange: Exchange, runtime: Runtime): Soon<Outcome> {
  const { rule } = exchange
  assert(rule !== null, 'forward comes after match')
  const { action } = rule
  switch (action.kind) {
    case 'proxy':
      return proxy(action, rule, exchange, runtime)
    case 'aggregate':
      return aggregate(action, rule, exchange, runtime)
    case 'respond':
      return respondFixed(action, exchange)
    case 'redirect':
      return redirect(action, exchange)
    case 'reject':
      return reject(action)
    default:
      return action satisfies never
  }
}
