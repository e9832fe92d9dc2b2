/**
 * Runs compile steps again exactly when something that they read has changed. Each result keeps the
 * reads it came from: objects (absent ones too), lists, and results of other steps. A step whose
 * reads are all the same keeps its result; nothing is ever patched: a result is what its step
 * returned for the reads it has now.
 * Pinned by memo.test.ts: "after any edits a memo says what a fresh one says".
 */
import { CellReader, Cells } from './cells.ts'
import { Clock, Derived, type Read, releaseOrphans, settleEager, type Turn } from './read.ts'
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
  /** See Derived: for what many others depend on, and few changes get through. */
  readonly turn?: Exclude<Turn, 'asked'>
}

export interface Memo {
  step<V>(of: StepOf<V>): Step<V>
  /**
   * The entries of a step that answers with maps, as a step of their own, keyed `key entry`: other
   * entries may change without any effect on who asked for this one.
   */
  entriesOf<V>(maps: Step<ReadonlyMap<string, V>>): Step<V | null>
  /** Reads results that are true of this snapshot. Snapshots come one after the other. */
  over<V>(snapshot: Snapshot, story: (at: Recorder) => V): V
}

/** The usual `keep`: all of the earlier result, or all of the new one. */
export function keepIf<V>(same: (before: V, after: V) => boolean): (before: V, after: V) => V {
  return (before, after) => (same(before, after) ? before : after)
}

export function createMemo(): Memo {
  const walk = new Walk()
  const steps: Forgetful[] = []
  function add<S extends Forgetful>(step: S): S {
    steps.push(step)
    return step
  }
  return {
    step: <V>(of: StepOf<V>) =>
      add(new Step<V>(of.name, walk, (step, key) => new Result(step, key, { of, walk }))),
    entriesOf: <V>(maps: Step<ReadonlyMap<string, V>>) =>
      add(
        new Step<V | null>(
          `entry of ${maps.name}`,
          walk,
          (step, key) => new Pick(step, key, { maps, walk }),
        ),
      ),
    over(snapshot, story) {
      try {
        walk.move(snapshot)
        return walk.tell(story)
      } catch (error) {
        // A bug of ours left results half made: the next snapshot starts from nothing.
        for (const step of steps) step.forgetAll()
        walk.startAnew()
        throw error
      }
    },
  }
}

interface Forgetful {
  forgetAll(): void
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
    settleEager(this.clock)
  }

  /** What the story asks for is wanted until it is told again. */
  tell<V>(story: (at: Recorder) => V): V {
    this.#root ??= new Root(this.clock)
    const [value, reads] = this.record(story)
    this.#root.want(reads)
    releaseOrphans(this.clock)
    return value
  }

  startAnew(): void {
    this.clock.eager.clear()
    this.clock.late.clear()
    this.clock.orphans.clear()
    this.#cells = null
    this.#root = null
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
  readonly turn = 'asked'
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
    const answer = step.answer(key)
    const value = answer.current()
    this.#note(answer)
    return value
  }

  askAll<V>(step: Step<V>, keys: readonly string[]): readonly V[] {
    const group = step.group(keys)
    const values = group.current()
    this.#note(group)
    return values
  }
}

/** A step with the answers that it has given. */
export class Step<V> {
  readonly name: string
  readonly #walk: Walk
  readonly #make: (step: Step<V>, key: string) => Answer<V>
  readonly #answers = new Map<string, Answer<V>>()
  readonly #groups = new Map<readonly string[], Group<V>>()
  constructor(name: string, walk: Walk, make: (step: Step<V>, key: string) => Answer<V>) {
    this.name = name
    this.#walk = walk
    this.#make = make
  }

  answer(key: string): Answer<V> {
    let answer = this.#answers.get(key)
    if (answer === undefined) {
      answer = this.#make(this, key)
      this.#answers.set(key, answer)
    }
    return answer
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
    this.#answers.delete(key)
  }

  forgetGroup(keys: readonly string[]): void {
    this.#groups.delete(keys)
  }

  forgetAll(): void {
    this.#answers.clear()
    this.#groups.clear()
  }
}

/** What a step says for one key. */
abstract class Answer<V> extends Derived {
  #held: { readonly value: V } | null = null
  readonly #step: Step<V>
  protected readonly key: string
  constructor(step: Step<V>, key: string, walk: Walk) {
    super(walk.clock)
    this.#step = step
    this.key = key
  }

  get name(): string {
    return this.#step.name
  }

  current(): V {
    this.settle()
    if (this.#held === null) throw new TypeError(`compile step ${this.name} has no result`)
    return this.#held.value
  }

  /** As it is, without settling it. */
  peek(): V | null {
    return this.#held?.value ?? null
  }

  protected abstract make(before: { readonly value: V } | null): V

  protected remake(): 'changed' | 'kept' {
    const before = this.#held
    const value = this.make(before)
    if (before?.value === value) return 'kept'
    this.#held = { value }
    return 'changed'
  }

  override release(): void {
    super.release()
    this.#step.forget(this.key)
  }
}

/** Made by running the step. */
class Result<V> extends Answer<V> {
  readonly turn: Turn
  readonly #from: { readonly of: StepOf<V>; readonly walk: Walk }
  constructor(step: Step<V>, key: string, from: { readonly of: StepOf<V>; readonly walk: Walk }) {
    super(step, key, from.walk)
    this.#from = from
    this.turn = from.of.turn ?? 'asked'
  }

  protected make(before: { readonly value: V } | null): V {
    const { of, walk } = this.#from
    const [after, reads] = walk.record((at) => of.run(this.key, at))
    this.depend(reads)
    return before === null || of.keep === undefined ? after : of.keep(before.value, after)
  }
}

type Maps<V> = Step<ReadonlyMap<string, V>>

/** One entry of another answer. */
class Pick<V> extends Answer<V | null> {
  readonly turn = 'asked'
  readonly #map: Answer<ReadonlyMap<string, V>>
  readonly #entry: string
  constructor(step: Step<V | null>, key: string, { maps, walk }: { maps: Maps<V>; walk: Walk }) {
    super(step, key, walk)
    const space = key.lastIndexOf(' ')
    this.#map = maps.answer(key.slice(0, space))
    this.#entry = key.slice(space + 1)
    this.depend([this.#map])
  }

  protected make(): V | null {
    return this.#map.current().get(this.#entry) ?? null
  }

  /** A map whose turn comes first has its new entries by now: those that stayed disturb nobody. */
  override doubt(): void {
    const map = this.#map.turn === 'asked' ? null : this.#map.peek()
    if (map === null || (map.get(this.#entry) ?? null) !== this.peek()) super.doubt()
  }
}

/** What a step said for each of a list of keys. */
class Group<V> extends Derived {
  readonly turn = 'asked'
  #values: readonly V[] | null = null
  readonly #step: Step<V>
  readonly #keys: readonly string[]
  readonly #results: readonly Answer<V>[]
  constructor(step: Step<V>, keys: readonly string[], walk: Walk) {
    super(walk.clock)
    this.#step = step
    this.#keys = keys
    this.#results = keys.map((key) => step.answer(key))
    this.depend(this.#results)
  }

  get name(): string {
    return this.#step.name
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
