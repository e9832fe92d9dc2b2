/**
 * Tokens that this worker has verified, so that their signature is checked once and not with every
 * request. Keyed by the SHA-256 of the token and by what verified it, so no entry can see another's;
 * times are not part of what is kept as true, they are looked at on every hit.
 * Pinned by token-cache.test.ts: "it answers as an unbounded map does, or not at all".
 */

/** What is used longest ago goes first. */
const TOKENS_MAX = 10_000
/** Of token text; what is kept of a token takes about four times as much. */
const TOKEN_CHARS_MAX = 8 * 1024 * 1024

interface Kept<T> {
  readonly value: T
  readonly chars: number
}

export class TokenCache<T> {
  readonly #kept = new Map<string, Kept<T>>()
  readonly #tokensMax: number
  readonly #charsMax: number
  #chars = 0

  constructor(tokensMax = TOKENS_MAX, charsMax = TOKEN_CHARS_MAX) {
    this.#tokensMax = tokensMax
    this.#charsMax = charsMax
  }

  get(key: string): T | null {
    const kept = this.#kept.get(key)
    if (kept === undefined) return null
    // a map keeps the order of insertion: what was used last stands last
    this.#kept.delete(key)
    this.#kept.set(key, kept)
    return kept.value
  }

  /** `chars`: length of the token. */
  put(key: string, value: T, chars: number): void {
    this.#drop(key)
    this.#kept.set(key, { value, chars })
    this.#chars += chars
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#tokensMax && this.#chars <= this.#charsMax) return
      this.#drop(oldest)
    }
  }

  /** A key set changed: a key that is gone must not be believed a moment longer. */
  clear(): void {
    this.#kept.clear()
    this.#chars = 0
  }

  get size(): number {
    return this.#kept.size
  }

  #drop(key: string): void {
    this.#chars -= this.#kept.get(key)?.chars ?? 0
    this.#kept.delete(key)
  }
}
