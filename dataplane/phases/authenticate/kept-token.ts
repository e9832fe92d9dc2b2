/**
 * A token whose signature and claims hold, as it is kept: who it speaks for is looked up in today's
 * Consumers and remembered as long as they are the same. Proved by jwt.test.ts.
 */
import type { Consumer, JwtEntry } from '#wire/auth'
import type { Caller } from './caller.ts'
import { scopesOf, type Validity } from './claims.ts'
import { groupsOf } from './consumer.ts'
import type { Verified } from './judgement.ts'
import type { KeySlot } from './key-sets.ts'
import type { StrictObject } from './strict-json.ts'

export interface TokenParts {
  readonly entry: JwtEntry
  /** The keys that verified it. */
  readonly slot: KeySlot
  readonly claims: StrictObject
  readonly validity: Validity
}

export class KeptToken {
  readonly claims: StrictObject
  readonly validity: Validity
  readonly issuer: string
  readonly #method: string
  readonly #scopes: readonly string[]
  readonly #slot: KeySlot
  readonly #generation: number
  #last: Verified | null = null

  constructor({ entry, slot, claims, validity }: TokenParts) {
    this.claims = claims
    this.validity = validity
    this.issuer = entry.issuer
    this.#method = entry.name
    this.#scopes = scopesOf(claims)
    this.#slot = slot
    this.#generation = slot.generation
  }

  /** False once the keys that verified it were replaced. */
  isCurrent(): boolean {
    return this.#slot.generation === this.#generation
  }

  /** The same object for the same Consumer: nothing is made for a token that was seen before. */
  verified(consumer: Consumer | null): Verified {
    if (this.#last !== null && this.#last.caller.consumer === consumer) return this.#last
    const caller: Caller = {
      method: this.#method,
      anonymous: false,
      consumer,
      claims: this.claims,
      groups: groupsOf(consumer, this.claims),
      scopes: this.#scopes,
    }
    this.#last = { kind: 'verified', caller }
    return this.#last
  }
}
