/**
 * Refuses a request whose body is declared larger than its rule allows, before it is read and before
 * anything is spent on it. A body that does not say how long it is, is counted on its way through
 * (forward/counted-body.ts).
 * Pinned by body.test.ts: "a body that is declared too large is refused before it is read".
 */
import assert from 'node:assert/strict'
import type { Exchange } from '../request/exchange.ts'
import { fail, type Failure } from '../request/failure.ts'
import { CONTINUE, type Outcome } from '../request/outcome.ts'

export function boundBody({ rule, body }: Exchange): Outcome {
  assert(rule !== null, 'match has set the rule')
  const max = rule.bodyBytesMax
  return max === null || (body.bytesDeclared ?? 0) <= max ? CONTINUE : tooLarge(max)
}

export function tooLarge(bytesMax: number): Failure {
  return fail('body-too-large', `The body may have at most ${bytesMax} bytes.`)
}
