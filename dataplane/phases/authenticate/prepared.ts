/**
 * A rule's authentication as prepared at push: the unit in force, its authorisers and what it sends
 * on. Built by build.ts, run by phases/authenticate.
 */
import type { Exchange } from '../../request/exchange.ts'
import type { Failure } from '../../request/failure.ts'
import type { PreparedHeader } from '../../runtime/runtime.ts'
import type { Caller } from './caller.ts'

export interface PreparedAuth {
  readonly kind: 'policy'
  /** Null: the rule is public and no unit attaches; every caller is anonymous. */
  readonly authenticator: Authenticator | null
  /** Null: nothing to hold. */
  readonly authorizers: readonly Authorizer[] | null
  /** Headers of a 401 that says what could be shown. */
  readonly challenge: readonly string[]
  /** Null: the credential is taken off, and nothing but the Consumer is told. */
  readonly forward: PreparedForward | null
  /** Detail texts that replace the built-in ones; null keeps them. */
  readonly unauthenticatedDetail: string | null
  readonly forbiddenDetail: string | null
}

/** Who is calling? Answers at once wherever nothing has to be waited for. */
export interface Authenticator {
  readonly challenge: readonly string[]
  /** A Caller, or why there is none. Fills `exchange.strip` with the carriers it read. */
  authenticate(exchange: Exchange): Caller | Failure
}

/** May they? Null: yes. */
export interface Authorizer {
  authorize(exchange: Exchange, caller: Caller): Failure | null
}

export interface PreparedForward {
  /** Null: none. */
  readonly headers: readonly PreparedHeader[] | null
  readonly credential: 'strip' | 'keep'
}
