/**
 * What comes later, told in the very call that settles it. A promise would have its listener wait
 * for a turn of the microtask queue, and every step of the walk for another one; the end of a
 * backend's answer would then find its head still unsent. Never fails: what may throw takes a promise.
 * Pinned by later.test.ts: "a listener hears at once, whether it came before or after".
 */
export class Later<T> implements PromiseLike<T> {
  #settled: { readonly value: T } | null = null
  #listener: ((value: T) => void) | null = null

  /** Once: what comes after the first is not heard. */
  settle(value: T): void {
    if (this.#settled !== null) return
    this.#settled = { value }
    const listener = this.#listener
    this.#listener = null
    listener?.(value)
  }

  /** One listener: a later one takes the place of an earlier one. */
  tell(listener: (value: T) => void): void {
    if (this.#settled === null) this.#listener = listener
    else listener(this.#settled.value)
  }

  /** For those who await it. */
  // oxlint-disable-next-line unicorn/no-thenable
  then<A = T, B = never>(
    next?: ((value: T) => A | PromiseLike<A>) | null,
    failed?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return new Promise<T>((resolve) => this.tell(resolve)).then(next, failed)
  }
}
