/**
 * Runs compile steps again exactly when something that they read has changed. Each result keeps the
 * reads it came from: objects (absent ones too), lists, and results of other steps. A step whose
 * reads are all the same keeps its result; nothing is ever patched: a result is what its step
 * returned for the reads it has now.
 * Pinned by memo.test.ts: "after any edits a memo says what a fresh one says".
 */
import { CellReader, Cells } from './cells.ts'
import { Clock, Derived, type Read, releaseOrphans } from './read.ts'
import type { Reader } from './reader.ts'
import type { Snapshot } from './snapshot.ts'

/** What a step sees: the snapshot and the other steps. Everything it asks is recorded. */
export interface Recorder {
  readonly reader: Reader
  ask<V>(step: Step<V>, key: string): V
  /** The same for many, recorded as one read for as long as the very same list asks. */
  askAll<V>(step: Step<V>, keys: readonly string[]): readonly V[]
}

/** A pure function of its key, what it reads and the results of other steps. */
export interface StepOf<V> {
  readonly name: string
  readonly run: (key: string, at: Recorder) => V
  /**
   * The result to go on with: the earlier one where the new one says nothing new (whatever depends
   * on it then need not run), or the new one with parts of the earlier. Equal to `after` in content.
   */
  readonly keep?: (before: V, after: V) => V
}

export interface Memo {
  step<V>(of: StepOf<V>): Step<V>
  /** Reads results that are true of this snapshot. Snapshots come one after the other. */
  over<V>(snapshot: Snapshot, story: (at: Recorder) => V): V
}

/** The usual `keep`: all of the earlier result, or all of the new one. */
export function keepIf<V>(same: (before: V, after: V) => boolean): (before: V, after: V) => V {
  return (before, after) => (same(before, after) ? before : after)
}

export function createMemo(): Memo {
  const walk = new Walk()
  return {
    step: (of) => new Step(of, walk),
    over(snapshot, story) {
      walk.move(snapshot)
      const result = walk.tell(story)
      releaseOrphans(walk.clock)
      return result
    },
  }
}

/** One compile after the other. */
class Walk {
  readonly clock = new Clock()
  #runs = 0
  #cells: Cells | null = null
  #root: Root | null = null

  move(snapshot: Snapshot): void {
    this.clock.revision += 1
    if (this.#cells === null) this.#cells = new Cells(snapshot, this.clock)
    else this.#cells.move(snapshot)
  }

  /** What the story asks for is wanted until it is told again. */
  tell<V>(story: (at: Recorder) => V): V {
    this.#root ??= new Root(this.clock)
    const [value, reads] = this.record(story)
    this.#root.want(reads)
    return value
  }

  record<V>(run: (at: Recorder) => V): readonly [V, readonly Read[]] {
    if (this.#cells === null) throw new TypeError('a memo is read only over a snapshot')
    const recording = new Recording(this.#cells, (this.#runs += 1))
    const value = run(recording)
    return [value, recording.reads]
  }
}

/** Holds on to what the last story asked for. */
class Root extends Derived {
  readonly name = 'story'
  want(reads: readonly Read[]): void {
    this.depend(reads)
  }

  protected remake(): 'kept' {
    return 'kept'
  }
}

class Recording implements Recorder {
  readonly reads: Read[] = []
  readonly reader: Reader
  readonly #run: number
  constructor(cells: Cells, run: number) {
    this.#run = run
    this.reader = new CellReader(cells, (read) => this.#note(read))
  }

  #note(read: Read): void {
    if (read.seenBy === this.#run) return
    read.seenBy = this.#run
    this.reads.push(read)
  }

  ask<V>(step: Step<V>, key: string): V {
    const result = step.result(key)
    const value = result.current()
    this.#note(result)
    return value
  }

  askAll<V>(step: Step<V>, keys: readonly string[]): readonly V[] {
    const group = step.group(keys)
    const values = group.current()
    this.#note(group)
    return values
  }
}

/** A step with the results that it has. */
export class Step<V> {
  readonly of: StepOf<V>
  readonly #walk: Walk
  readonly #results = new Map<string, Result<V>>()
  readonly #groups = new Map<readonly string[], Group<V>>()
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

  group(keys: readonly string[]): Group<V> {
    let group = this.#groups.get(keys)
    if (group === undefined) {
      group = new Group(this, keys, this.#walk)
      this.#groups.set(keys, group)
    }
    return group
  }

  forget(key: string): void {
    this.#results.delete(key)
  }

  forgetGroup(keys: readonly string[]): void {
    this.#groups.delete(keys)
  }
}

/** What a step said for one key. */
class Result<V> extends Derived {
  #held: { readonly value: V } | null = null
  readonly #step: Step<V>
  readonly #key: string
  readonly #walk: Walk
  constructor(step: Step<V>, key: string, walk: Walk) {
    super(walk.clock)
    this.#step = step
    this.#key = key
    this.#walk = walk
  }

  get name(): string {
    return this.#step.of.name
  }

  current(): V {
    this.settle()
    if (this.#held === null) throw new TypeError(`compile step ${this.name} has no result`)
    return this.#held.value
  }

  protected remake(): 'changed' | 'kept' {
    const { run, keep } = this.#step.of
    const [after, reads] = this.#walk.record((at) => run(this.#key, at))
    this.depend(reads)
    const before = this.#held
    const value = before === null || keep === undefined ? after : keep(before.value, after)
    if (before?.value === value) return 'kept'
    this.#held = { value }
    return 'changed'
  }

  override release(): void {
    super.release()
    this.#step.forget(this.#key)
  }
}

/** What a step said for each of a list of keys. */
class Group<V> extends Derived {
  #values: readonly V[] | null = null
  readonly #step: Step<V>
  readonly #keys: readonly string[]
  readonly #results: readonly Result<V>[]
  constructor(step: Step<V>, keys: readonly string[], walk: Walk) {
    super(walk.clock)
    this.#step = step
    this.#keys = keys
    this.#results = keys.map((key) => step.result(key))
    this.depend(this.#results)
  }

  get name(): string {
    return this.#step.of.name
  }

  current(): readonly V[] {
    this.settle()
    return this.#values ?? []
  }

  protected remake(): 'changed' | 'kept' {
    const before = this.#values
    const values = this.#results.map((result) => result.current())
    if (before !== null && values.every((value, i) => value === before[i])) return 'kept'
    this.#values = values
    return 'changed'
  }

  override release(): void {
    super.release()
    this.#step.forgetGroup(this.#keys)
  }
}
