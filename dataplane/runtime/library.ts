/**
 * A library whose loading would be a good part of a start, and that many tables never need: loaded
 * when the first of them comes, before it is in force.
 * Pinned by library.test.ts: "what was missed is loaded once, and then it is there".
 */
export class Library<T> {
  readonly #load: () => Promise<T>
  #loaded: T | null = null
  #missed: 'no' | 'yes' = 'no'

  constructor(load: () => Promise<T>) {
    this.#load = load
  }

  /** Null: not yet loaded. What is built without it has to be built again after `loadMissed`. */
  get(): T | null {
    if (this.#loaded === null) this.#missed = 'yes'
    return this.#loaded
  }

  async loadMissed(): Promise<'nothing' | 'loaded'> {
    if (this.#missed === 'no') return 'nothing'
    this.#loaded ??= await this.#load()
    this.#missed = 'no'
    return 'loaded'
  }
}
