/**
 * A library whose loading would be a good part of a start, and that many tables never need: loaded
 * when the first of them comes, before it is in force.
 * Pinned by library.test.ts: "what was missed is loaded once, and then it is there".
 */
export class Library<T> {
  readonly #fetch: () => Promise<T>
  #loaded: T | null = null
  #missed: 'no' | 'yes' = 'no'

  constructor(fetch: () => Promise<T>) {
    this.#fetch = fetch
  }

  /** Null: not yet loaded. What is built without it has to be built again after `loadMissed`. */
  get(): T | null {
    if (this.#loaded === null) this.#missed = 'yes'
    return this.#loaded
  }

  async loadMissed(): Promise<'nothing' | 'loaded'> {
    if (this.#missed === 'no') return 'nothing'
    await this.load()
    this.#missed = 'no'
    return 'loaded'
  }

  async load(): Promise<void> {
    this.#loaded ??= await this.#fetch()
  }
}
