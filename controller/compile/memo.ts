/**
 * Runs compile steps again exactly when something that they read has changed. Each result keeps the
 * reads it came from: objects (absent ones too), lists, and results of other steps. A new snapshot is
 * compared with the last one by pointers, and a step whose reads are all the same keeps its result.
 * Nothing is ever patched: a result is what its step returned for the reads it has now.
 * Pinned by memo.test.ts: "after any edits a memo says what a fresh one says".
 */
import { Cells, type Read } from './cells.ts'
import type { Reader } from './reader.ts'
import type { Snapshot } from './snapshot.ts'

/** What a step sees: the snapshot and the other steps. Everything it asks is recorded. */
export interface Recorder {
  readonly reader: Reader
  ask<V>(step: Step<V>, key: string): V
}

/** A pure function of its key, what it reads and the results of other steps. */
export interface StepOf<V> {
  readonly name: string
  run(key: string, at: Recorder): V
  /**
   * Whether the new result says nothing new: the old one then keeps its identity, and whatever
   * depends on it need not run. Absent: only the very same object does.
   */
  same?(before: V, after: V): boolean
}

export interface Memo {
  step<V>(of: StepOf<V>): Step<V>
  /** Reads results that are true of this snapshot. Snapshots come one after the other. */
  over<V>(snapshot: Snapshot, story: (at: Recorder) => V): V
}

/** Dead results may be half as many as living ones, and a small memo is never swept. */
const SWEEP_FACTOR = 1.5
const SWEEP_MIN = 1_000

export function createMemo(): Memo {
  const steps: Step<unknown>[] = []
  const walk = new Walk()
  return {
    step<V>(of: StepOf<V>): Step<V> {
      const step = new Step(of, walk)
      steps.push(step)
      return step
    },
    over(snapshot, story) {
      walk.move(snapshot)
      const result = story(walk.recorder(ignore))
      const size = steps.reduce((sum, step) => sum + step.size(), 0)
      if (size > SWEEP_MIN + walk.living * SWEEP_FACTOR) {
        for (const step of steps) step.sweep()
        walk.sweep()
      }
      return result
    },
  }
}

function ignore(): void {}

/** One compile after the other: which revision it is, and what it has asked for. */
class Walk {
  revision = 0
  /** Results that this revision has asked for. */
  living = 0
  #cells: Cells | null = null

  move(snapshot: Snapshot): void {
    this.revision += 1
    this.living = 0
    this.#cells ??= new Cells(snapshot)
    this.#cells.move(snapshot, this.revision)
  }

  recorder(note: (read: Read) => void): Recorder {
    if (this.#cells === null) throw new TypeError('a memo is read only over a snapshot')
    return {
      reader: this.#cells.reader(note),
      ask: (step, key) => {
        const result = step.result(key)
        const value = result.current()
        note(result)
        return value
      },
    }
  }

  sweep(): void {
    this.#cells?.sweep(this.revision)
  }
}

/** A step with the results that it has had. */
export class Step<V> {
  readonly of: StepOf<V>
  readonly #walk: Walk
  readonly #results = new Map<string, Result<V>>()
  constructor(of: StepOf<V>, walk: Walk) {
    this.of = of
    this.#walk = walk
  }

  result(key: string): Result<V> {
    let result = this.#results.get(key)
    if (result === undefined) {
      result = new Result(this, key, this.#walk)
      this.#results.set(key, result)
    }
    return result
  }

  size(): number {
    return this.#results.size
  }

  /** Drops the results that this revision did not ask for; the others hold on to their reads. */
  sweep(): void {
    const { revision } = this.#walk
    for (const [key, result] of this.#results) {
      if (result.verifiedAt === revision) result.useReads()
      else this.#results.delete(key)
    }
  }
}

/** What a step said for one key, with everything that it had looked at. */
class Result<V> implements Read {
  changedAt = 0
  verifiedAt = 0
  #held: { readonly value: V } | null = null
  #reads: readonly Read[] = []
  #state: 'resting' | 'running' = 'resting'
  readonly #step: Step<V>
  readonly #key: string
  readonly #walk: Walk
  constructor(step: Step<V>, key: string, walk: Walk) {
    this.#step = step
    this.#key = key
    this.#walk = walk
  }

  settle(): void {
    this.current()
  }

  use(): void {}

  useReads(): void {
    for (const read of this.#reads) read.use(this.#walk.revision)
  }

  current(): V {
    const { revision } = this.#walk
    const held = this.#held
    if (held !== null && this.verifiedAt === revision) return held.value
    if (this.#state === 'running') {
      throw new TypeError(`compile step ${this.#step.of.name} asks for its own result`)
    }
    this.#walk.living += 1
    const value = held === null || this.#moved() ? this.#run() : held.value
    this.verifiedAt = revision
    return value
  }

  #moved(): boolean {
    for (const read of this.#reads) {
      read.settle()
      if (read.changedAt > this.verifiedAt) return true
    }
    return false
  }

  #run(): V {
    const reads = new Set<Read>()
    this.#state = 'running'
    try {
      const recorder = this.#walk.recorder((read) => reads.add(read))
      const value = this.#step.of.run(this.#key, recorder)
      this.#reads = [...reads]
      return this.#keep(value)
    } finally {
      this.#state = 'resting'
    }
  }

  #keep(value: V): V {
    const held = this.#held
    if (held !== null) {
      const nothingNew = held.value === value || this.#step.of.same?.(held.value, value) === true
      if (nothingNew) return held.value
      this.changedAt = this.#walk.revision
    }
    this.#held = { value }
    return value
  }
}
