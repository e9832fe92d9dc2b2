/**
 * Who is calling, as the policy in force has found out: what `auth` and `consumer` are in
 * expressions. Anonymous callers have empty claims and no consumer.
 */
import type { Consumer } from '#wire/auth'
import type { Json } from '#wire/value'

export interface Caller {
  /** Name of the policy's entry that verified the credential, or of the anonymous entry. */
  readonly method: string
  readonly anonymous: boolean
  readonly consumer: Consumer | null
  readonly claims: { readonly [name: string]: Json }
  /** Groups of the Consumer and of the token's `groups` claim. */
  readonly groups: readonly string[]
  readonly scopes: readonly string[]
}
