/**
 * Which backend of a rule takes a request: the first whose `when` is true, else by weight. A part
 * of forward, before anything is sent; a share that cannot be resolved fails its share of requests.
 * Pinned by choose-backend.test.ts: "each backend gets its share, a broken one too".
 */
import type { BackendTarget } from '#wire/value'
import type { Exchange } from '../../request/exchange.ts'
import { type Failure, fail } from '../../request/failure.ts'
import type { Scope } from '../../runtime/expression-types.ts'
import type { PreparedProxy } from '../../runtime/runtime.ts'

export type Choice = { readonly kind: 'backend'; readonly backend: string } | Failure

/** `random`: from 0 to below 1. */
export function chooseBackend(
  action: PreparedProxy,
  exchange: Exchange,
  random: () => number,
): Choice {
  if (action.conditional !== null) {
    const first = firstTrue(action.conditional, exchange)
    if (first !== null) return first
  }
  const target = action.single ?? byWeight(action.weighted, random)
  return target === null
    ? fail('no-endpoint', 'No backend of this rule takes this request.')
    : choiceOf(target)
}

function choiceOf(target: BackendTarget): Choice {
  return target.kind === 'backend' ? target : fail(target.cause, target.because)
}

function firstTrue(
  conditional: NonNullable<PreparedProxy['conditional']>,
  exchange: Exchange,
): Choice | null {
  const at = firstMet(conditional, exchange)
  if (at === 'none') return null
  const target = at === 'failed' ? undefined : conditional[at]?.to
  // Sending the request elsewhere could send it where it must not go.
  return target === undefined
    ? fail('expression-failed', 'The condition of a backend cannot be evaluated.')
    : choiceOf(target)
}

/** Position of the first backend whose condition is true; failed: nobody can say. */
export function firstMet(
  conditional: NonNullable<PreparedProxy['conditional']>,
  exchange: Exchange,
): number | 'none' | 'failed' {
  const scope: Scope = { exchange, caller: exchange.caller, calls: null, locals: null }
  for (const [i, { when }] of conditional.entries()) {
    const result = when.test(scope)
    if (result === 'true') return i
    if (result === 'failed') return 'failed'
  }
  return 'none'
}

function byWeight(weighted: PreparedProxy['weighted'], random: () => number): BackendTarget | null {
  const sum = weighted.at(-1)?.upTo ?? 0
  const drawn = random() * sum
  return weighted.find(({ upTo }) => drawn < upTo)?.to ?? null
}
