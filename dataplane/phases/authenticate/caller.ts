/**
 * Who is calling, as the policy in force has found out: what `auth` and `consumer` are in
 * expressions. Anonymous callers have empty claims and no consumer. Proved by authenticator.test.ts.
 */
import type { Consumer } from '#wire/auth'
import type { StrictObject } from './strict-json.ts'

export interface Caller {
  /** Name of the policy's entry that verified the credential, or of the anonymous entry. */
  readonly method: string
  readonly anonymous: boolean
  readonly consumer: Consumer | null
  /** Integers beyond 2^53 are bigint. */
  readonly claims: StrictObject
  /** Groups of the Consumer and of the token's `groups` claim. */
  readonly groups: readonly string[]
  readonly scopes: readonly string[]
}

const NO_CLAIMS: StrictObject = Object.freeze(Object.create(null))
const NONE: readonly string[] = []

/** `method`: the name of the anonymous entry; '' where the rule is open. */
export function anonymousCaller(method: string): Caller {
  return { method, anonymous: true, consumer: null, claims: NO_CLAIMS, groups: NONE, scopes: NONE }
}
