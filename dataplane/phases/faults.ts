/**
 * Makes a share of the requests slow or fail on purpose, so that people can try how their clients bear
 * it: after everything that may refuse a request, before anything is spent on its answer.
 * Pinned by faults.test.ts: "each share of the requests gets its fault".
 */
import assert from 'node:assert/strict'
import { type Faults, type Share, SHARE_WHOLE } from '#wire/traffic'
import type { Exchange } from '../request/exchange.ts'
import { fail } from '../request/failure.ts'
import { CONTINUE, type Outcome } from '../request/outcome.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** `random`: from 0 to below 1. */
export function injectFaults(
  exchange: Exchange,
  _runtime: Runtime,
  random: () => number = Math.random,
): Outcome | Promise<Outcome> {
  assert(exchange.rule !== null, 'match has set the rule')
  const { faults } = exchange.rule
  if (faults === null) return CONTINUE
  const { delay } = faults
  const after = aborted(faults, random)
  return delay !== null && isDrawn(delay.share, random) ? later(delay.ms, after, exchange) : after
}

function isDrawn(share: Share, random: () => number): boolean {
  return random() * SHARE_WHOLE < share
}

function aborted({ abort }: Faults, random: () => number): Outcome {
  if (abort === null || !isDrawn(abort.share, random)) return CONTINUE
  const { status } = abort
  return { ...fail('fault-injected', 'This route makes some requests fail on purpose.'), status }
}

/** Nobody is waited for who has left. */
function later(ms: number, outcome: Outcome, { answer }: Exchange): Promise<Outcome> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms, outcome)
    answer.onAbort(() => {
      clearTimeout(timer)
      resolve(fail('client-closed', 'The client left before the answer.'))
    })
  })
}
