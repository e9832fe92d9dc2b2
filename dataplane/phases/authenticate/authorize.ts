/**
 * May this caller do this? One entry of `authorize`: a rule lets through only who satisfies all of
 * them. What cannot be computed is not satisfied.
 * Pinned by authorize.test.ts: "an expression that fails at run time refuses".
 */
import type { Authorize, DenyAnswer } from '#wire/auth'
import type { Exchange } from '../../request/exchange.ts'
import { type Cause, fail, type Failure } from '../../request/failure.ts'
import type { Prepared, Scope } from '../../runtime/expression-types.ts'
import type { Caller } from './caller.ts'
import { insufficientScope } from './challenge.ts'
import type { Authorizer } from './prepared.ts'

export class PolicyAuthorizer implements Authorizer {
  readonly #when: Prepared | null
  readonly #require: Prepared | null
  /** Null: none is asked for. */
  readonly #scopes: readonly string[] | null
  readonly #outOfScope: Failure
  readonly #forbidden: Failure

  constructor(
    { scopes, deny }: Authorize,
    expressions: { readonly when: Prepared | null; readonly require: Prepared | null },
  ) {
    this.#when = expressions.when
    this.#require = expressions.require
    this.#scopes = scopes.length === 0 ? null : scopes
    this.#outOfScope = denied('insufficient-scope', deny, insufficientScope(scopes))
    this.#forbidden = denied('forbidden', deny, [])
  }

  authorize(exchange: Exchange, caller: Caller): Failure | null {
    const scope: Scope = { exchange, caller, calls: null, locals: null }
    const applies = this.#when === null ? 'true' : this.#when.test(scope)
    if (applies === 'false') return null
    if (this.#scopes !== null && (applies === 'failed' || lacks(caller, this.#scopes))) {
      return this.#outOfScope
    }
    if (applies === 'failed') return this.#forbidden
    if (this.#require === null) return null
    return this.#require.test(scope) === 'true' ? null : this.#forbidden
  }
}

function lacks(caller: Caller, scopes: readonly string[]): boolean {
  return scopes.some((wanted) => !caller.scopes.includes(wanted))
}

/** The policy may choose status and word; the cause stays ours, for logs and metrics. */
function denied(cause: Cause, deny: DenyAnswer, headers: readonly string[]): Failure {
  const failure = fail(cause, deny.detail, headers)
  const word = deny.cause === 'forbidden' || deny.cause === cause ? null : deny.cause
  return { ...failure, status: deny.status, word }
}
