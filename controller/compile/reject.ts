/**
 * What stands in a table for a rule that cannot be executed: it keeps its matches and answers for
 * exactly the requests that it would have taken.
 * Pinned by route.test.ts: "a rule that cannot be executed rejects and keeps its matches".
 */
import type { Reject } from '#wire/value'
import type { CompiledRule } from './steps.ts'

/** What the client of such a rule reads. */
export const RULE_INVALID: Reject = {
  kind: 'reject',
  status: 500,
  cause: 'rule-invalid',
  because: 'This rule cannot be executed; the status of its route says why.',
}

export function rejecting(rule: CompiledRule): CompiledRule {
  const unedited = { rewrite: null, requestHeaders: null, responseHeaders: null }
  return { ...rule, ...unedited, traffic: {}, action: RULE_INVALID, backends: new Map() }
}
