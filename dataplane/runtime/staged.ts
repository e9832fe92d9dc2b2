/**
 * A map with changes laid over it: built from as if they were in force, while what runs still does.
 * Proved by build.test.ts.
 */
export class Staged<T> {
  readonly #running = new Map<string, T>()
  /** Null: taken out. */
  #staged = new Map<string, T | null>()

  /** With the changes. */
  get(key: string): T | null {
    const staged = this.#staged.get(key)
    return staged === undefined ? (this.#running.get(key) ?? null) : staged
  }

  /** Without them. */
  running(key: string): T | null {
    return this.#running.get(key) ?? null
  }

  runningKeys(): Iterable<string> {
    return this.#running.keys()
  }

  stage(key: string, value: T | null): void {
    this.#staged.set(key, value)
  }

  unstage(key: string): void {
    this.#staged.delete(key)
  }

  get changes(): ReadonlyMap<string, T | null> {
    return this.#staged
  }

  /** All of it with the changes, in a map of its own. */
  merged(): Map<string, T> {
    const all = new Map(this.#running)
    apply(all, this.#staged)
    return all
  }

  /** Forgets changes that never came into force. */
  reset(): void {
    this.#staged = new Map()
  }

  commit(): void {
    apply(this.#running, this.#staged)
    this.reset()
  }
}

function apply<T>(all: Map<string, T>, changes: ReadonlyMap<string, T | null>): void {
  for (const [key, value] of changes) {
    if (value === null) all.delete(key)
    else all.set(key, value)
  }
}
