/**
 * What a result of compile can depend on: a cell of the snapshot, another result, a group of results.
 * Whoever changes marks all that depend on it as stale; whether they really have to run again is seen
 * when they are asked, so that a change costs what it touches and nothing else.
 * Pinned by memo.test.ts: "after any edits a memo says what a fresh one says".
 */

/** Counts moments, and collects what is to be settled first and what nobody depends on any more. */
export class Clock {
  revision = 0
  readonly eager = new Set<Derived>()
  /** After all of these. */
  readonly late = new Set<Derived>()
  readonly orphans = new Set<Read>()
}

export abstract class Read {
  /** The revision in which it last became another one. */
  changedAt: number
  /** The run that has recorded it last: to record it once. */
  seenBy = 0
  protected readonly clock: Clock
  /** Most have one, and a Set for each of these would be a fifth of the memory. */
  #dependents: Derived | Set<Derived> | null = null

  constructor(clock: Clock) {
    this.clock = clock
    this.changedAt = clock.revision
  }

  /** Brings it up to the present revision. */
  abstract settle(): void
  /** Nobody depends on it: it lets go of what it depends on, and is forgotten. */
  abstract release(): void

  gain(dependent: Derived): void {
    const present = this.#dependents
    if (present instanceof Set) present.add(dependent)
    else if (present === null) {
      this.clock.orphans.delete(this)
      this.#dependents = dependent
    } else if (present !== dependent) this.#dependents = new Set([present, dependent])
  }

  lose(dependent: Derived): void {
    const present = this.#dependents
    if (present instanceof Set) {
      present.delete(dependent)
      if (present.size === 0) this.#dependents = null
    } else if (present === dependent) this.#dependents = null
    if (this.#dependents === null) this.clock.orphans.add(this)
  }

  isOrphan(): boolean {
    return this.#dependents === null
  }

  protected disturb(): void {
    const present = this.#dependents
    if (present instanceof Set) for (const dependent of present) dependent.doubt()
    else present?.doubt()
  }
}

export type Turn = 'asked' | 'first' | 'second'

/** Something that was made from others and can be made again. */
export abstract class Derived extends Read {
  #state: 'new' | 'settled' | 'doubtful' | 'running' = 'new'
  #settledAt = 0
  #reads: readonly Read[] = []

  protected abstract remake(): 'changed' | 'kept'
  abstract readonly name: string
  /**
   * `first`: it is settled before anything is asked, and disturbs those above only if it changed.
   * For what many depend on and few changes get through: all hosts of a gateway, for one. `second`:
   * likewise, once all the first ones are settled, because it is made from what depends on them.
   */
  abstract readonly turn: Turn

  /** Something below has changed; and so, perhaps, has this. */
  doubt(): void {
    if (this.#state !== 'settled') return
    this.#state = 'doubtful'
    if (this.turn === 'first') this.clock.eager.add(this)
    else if (this.turn === 'second') this.clock.late.add(this)
    else this.disturb()
  }

  settle(): void {
    switch (this.#state) {
      case 'settled':
        return
      case 'running':
        throw new TypeError(`compile step ${this.name} asks for its own result`)
      case 'new':
      case 'doubtful':
        if (this.#state === 'new' || this.#hasMoved()) this.#run()
        this.#state = 'settled'
        this.#settledAt = this.clock.revision
        return
      default:
        this.#state satisfies never
    }
  }

  #hasMoved(): boolean {
    for (const read of this.#reads) {
      read.settle()
      if (read.changedAt > this.#settledAt) return true
    }
    return false
  }

  #run(): void {
    this.#state = 'running'
    try {
      if (this.remake() === 'changed') {
        this.changedAt = this.clock.revision
        if (this.turn !== 'asked') this.disturb()
      }
    } catch (error) {
      this.#state = 'new'
      throw error
    }
  }

  protected depend(reads: readonly Read[]): void {
    const before = this.#reads
    this.#reads = reads
    if (sameReads(before, reads)) return
    for (const read of reads) read.gain(this)
    const kept = new Set(reads)
    for (const read of before) if (!kept.has(read)) read.lose(this)
  }

  release(): void {
    for (const read of new Set(this.#reads)) read.lose(this)
    this.#reads = []
    this.#state = 'new'
  }
}

function sameReads(a: readonly Read[], b: readonly Read[]): boolean {
  return a.length === b.length && a.every((read, i) => read === b[i])
}

/**
 * Each in a moment of its own: what has seen the old result of one of them is made again after it.
 */
export function settleEager(clock: Clock): void {
  for (let next = nextOf(clock); next !== null; next = nextOf(clock)) {
    clock.revision += 1
    if (!next.isOrphan()) next.settle()
  }
  clock.revision += 1
}

function nextOf({ eager, late }: Clock): Derived | null {
  for (const turn of [eager, late]) {
    for (const derived of turn) {
      turn.delete(derived)
      return derived
    }
  }
  return null
}

/** Forgets what nobody depends on, and then what only that had depended on. */
export function releaseOrphans(clock: Clock): void {
  for (const read of clock.orphans) {
    clock.orphans.delete(read)
    if (read.isOrphan()) read.release()
  }
}
