/**
 * The key sets that this worker verifies with. Main fetches them and says what changed; entries
 * hold a slot, so that new keys count at once and no rule is built again for them.
 * Pinned by key-sets.test.ts: "a key that left its set verifies nothing from then on".
 */
import {
  keySetId,
  type KeySetsMessage,
  type KeySource,
  type PublicJwk,
} from '../../sync/keys-message.ts'
import { type VerifyKey, verifyKey } from './jwk.ts'

/** What an entry sees: always today's keys. */
export interface KeySlot {
  /** Null: none were ever fetched, or they are too old to be believed. */
  readonly keys: readonly VerifyKey[] | null
  readonly generation: number
  /** A token named a key that is not there. Asked of main now and then, never waited for. */
  ask(): void
}

/** Main fetches at most once in this time for it; asking more often would only be noise. */
const ASK_EVERY_MS = 30_000

interface Slot {
  readonly id: string
  keys: readonly VerifyKey[] | null
  generation: number
  askedMs: number
  ask(): void
}

export class KeySets {
  readonly #slots = new Map<string, Slot>()
  readonly #unknownKey: (keySet: string) => void
  readonly #changed: () => void
  readonly #nowMs: () => number

  /** `changed` is called once the new keys are in their slots. */
  constructor(
    unknownKey: (keySet: string) => void,
    changed: () => void,
    nowMs: () => number = Date.now,
  ) {
    this.#unknownKey = unknownKey
    this.#changed = changed
    this.#nowMs = nowMs
  }

  slot(source: KeySource): KeySlot {
    return this.#slot(keySetId(source))
  }

  apply(message: KeySetsMessage): void {
    for (const set of message.sets) {
      const slot = this.#slot(set.id)
      slot.keys = set.keys === null ? null : usable(set.keys)
      slot.generation = set.generation
      slot.askedMs = -Infinity
    }
    this.#changed()
  }

  /** Slots of sources that no table names any more are few and small: they stay. */
  #slot(id: string): Slot {
    const before = this.#slots.get(id)
    if (before !== undefined) return before
    const slot: Slot = {
      id,
      keys: null,
      generation: 0,
      askedMs: -Infinity,
      ask: () => {
        const now = this.#nowMs()
        if (now - slot.askedMs < ASK_EVERY_MS) return
        slot.askedMs = now
        this.#unknownKey(id)
      },
    }
    this.#slots.set(id, slot)
    return slot
  }
}

/** Keys that stand in the policy: they never change, and there is nobody to ask. */
export function fixedKeys(keys: readonly VerifyKey[]): KeySlot {
  return { keys, generation: 0, ask: () => {} }
}

function usable(jwks: readonly PublicJwk[]): readonly VerifyKey[] {
  return jwks.flatMap((jwk) => {
    const key = verifyKey(jwk)
    return 'kind' in key ? [] : [key]
  })
}
