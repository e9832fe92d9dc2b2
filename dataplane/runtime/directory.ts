/**
 * The consumers and keys of the table that runs now, found by what callers show of themselves. It
 * changes in the same turn in which the table is swapped, so that no request sees half of a change.
 * Pinned by directory.test.ts: "after any changes it finds what a directory built anew would find".
 */
import type { ApiKey, Consumer } from '#wire/auth'
import type { Directory } from './prepare.ts'

const NONE: readonly ApiKey[] = []

/** Separates names that may hold every other character. */
const GAP = '\u0000'

export class TableDirectory implements Directory {
  readonly #keys = new Map<string, ApiKey>()
  /** SHA-256 of a key → its ApiKeys: those of Consumers of several namespaces may have one hash. */
  readonly #hashes = new Map<string, readonly ApiKey[]>()
  readonly #consumers = new Map<string, Consumer>()
  /** issuer, claim, value → names of Consumers. */
  readonly #identities = new Map<string, Set<string>>()
  /** issuer → claim → number of identities that are found by it. */
  readonly #claims = new Map<string, Map<string, number>>()

  apiKeys(sha256: string): readonly ApiKey[] {
    return this.#hashes.get(sha256) ?? NONE
  }

  consumer(key: string): Consumer | null {
    return this.#consumers.get(key) ?? null
  }

  claimsOf(issuer: string): readonly string[] {
    const claims = this.#claims.get(issuer)
    return claims === undefined ? [] : [...claims.keys()]
  }

  consumersOf(issuer: string, claim: string, value: string): readonly Consumer[] {
    const names = this.#identities.get(identity(issuer, claim, value))
    if (names === undefined) return []
    return [...names].flatMap((name) => this.#consumers.get(name) ?? [])
  }

  // ---- changes --------------------------------------------------------------------------------

  /** Null: it is gone. */
  setApiKey(name: string, key: ApiKey | null): void {
    const before = this.#keys.get(name)
    if (before !== undefined) this.#leave(before)
    if (key === null) {
      this.#keys.delete(name)
      return
    }
    this.#keys.set(name, key)
    this.#hashes.set(key.sha256, [...this.apiKeys(key.sha256), key])
  }

  setConsumer(name: string, consumer: Consumer | null): void {
    for (const one of this.#consumers.get(name)?.identities ?? []) {
      takeOut(this.#identities, identity(one.issuer, one.claim, one.value), name)
      this.#count(one.issuer, one.claim, -1)
    }
    if (consumer === null) {
      this.#consumers.delete(name)
      return
    }
    this.#consumers.set(name, consumer)
    for (const one of consumer.identities) {
      putIn(this.#identities, identity(one.issuer, one.claim, one.value), name)
      this.#count(one.issuer, one.claim, 1)
    }
  }

  #leave(key: ApiKey): void {
    const others = this.apiKeys(key.sha256).filter((other) => other !== key)
    if (others.length === 0) this.#hashes.delete(key.sha256)
    else this.#hashes.set(key.sha256, others)
  }

  #count(issuer: string, claim: string, change: 1 | -1): void {
    const claims = this.#claims.get(issuer) ?? new Map<string, number>()
    const count = (claims.get(claim) ?? 0) + change
    if (count > 0) claims.set(claim, count)
    else claims.delete(claim)
    if (claims.size > 0) this.#claims.set(issuer, claims)
    else this.#claims.delete(issuer)
  }
}

function identity(issuer: string, claim: string, value: string): string {
  return `${issuer}${GAP}${claim}${GAP}${value}`
}

function putIn(sets: Map<string, Set<string>>, id: string, name: string): void {
  const set = sets.get(id)
  if (set === undefined) sets.set(id, new Set([name]))
  else set.add(name)
}

function takeOut(sets: Map<string, Set<string>>, id: string, name: string): void {
  const set = sets.get(id)
  if (set === undefined) return
  set.delete(name)
  if (set.size === 0) sets.delete(id)
}
