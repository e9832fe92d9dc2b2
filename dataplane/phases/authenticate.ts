/**
 * Who is calling, may they, and what does the backend learn of it: after match, so that the rule's
 * policy is known; before the limits that count by Consumer. Nothing is forwarded for somebody whom
 * the policy does not let through.
 * Pinned by authenticate.test.ts: "a rule whose policy cannot be enforced answers 503".
 */
import assert from 'node:assert/strict'
import { DENY_DETAIL, SCOPES_DETAIL } from '#wire/auth'
import type { Exchange } from '../request/exchange.ts'
import { fail, type Failure } from '../request/failure.ts'
import { CONTINUE, type Outcome } from '../request/outcome.ts'
import { anonymousCaller, type Caller } from './authenticate/caller.ts'
import { identityHeaders } from './authenticate/forward.ts'
import type { PreparedAuth } from './authenticate/prepared.ts'

const GUEST = anonymousCaller('')

export function authenticate(exchange: Exchange): Outcome {
  assert(exchange.rule !== null, 'match has set the rule')
  const { auth } = exchange.rule
  if (auth === null) return CONTINUE
  if (auth.kind === 'reject') return fail(auth.cause, auth.because)
  const caller = auth.authenticator?.authenticate(exchange) ?? GUEST
  if (isFailure(caller)) return worded(caller, auth.unauthenticatedDetail)
  exchange.caller = caller
  return authorize(exchange, caller, auth) ?? forward(exchange, caller, auth)
}

function authorize(exchange: Exchange, caller: Caller, auth: PreparedAuth): Failure | null {
  if (auth.authorizers === null) return null
  for (const authorizer of auth.authorizers) {
    const failure = authorizer.authorize(exchange, caller)
    if (failure !== null) return worded(failure, forbiddenDetailOf(failure, auth))
  }
  return null
}

function forward(exchange: Exchange, caller: Caller, auth: PreparedAuth): Outcome {
  if (auth.forward?.credential === 'keep') exchange.strip = null
  const headers = identityHeaders(exchange, caller, auth.forward?.headers ?? null)
  if (headers !== null && isFailure(headers)) return headers
  exchange.identityHeaders = headers
  return CONTINUE
}

/** What an entry says for itself is more specific than what its policy says of all. */
function forbiddenDetailOf({ detail }: Failure, auth: PreparedAuth): string | null {
  return detail === DENY_DETAIL || detail === SCOPES_DETAIL ? auth.forbiddenDetail : null
}

function worded(failure: Failure, detail: string | null): Failure {
  return detail === null ? failure : { ...failure, detail }
}

function isFailure(found: object): found is Failure {
  return 'fault' in found
}
