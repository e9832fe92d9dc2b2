/**
 * What is found of one presented credential. Who is calling follows from all of them together.
 * Proved by authenticator.test.ts.
 */
import type { Caller } from './caller.ts'

export type Judgement = Verified | Unverified

export interface Verified {
  readonly kind: 'verified'
  readonly caller: Caller
}

export interface Unverified {
  /** `keysUnavailable`: nobody can tell, and it is not the client's doing. */
  readonly kind: 'invalid' | 'ambiguous' | 'keysUnavailable'
  /** Completes "The credential in …"; names no value of it. */
  readonly because: string
}

export function invalid(because: string): Unverified {
  return { kind: 'invalid', because }
}
