/**
 * All rules of the table, prepared, and what each has read: a change builds those anew that it
 * touches. Proved by build.test.ts.
 */
import { type BuiltRule, buildRule } from './build-rule.ts'
import type { ChangedObject, TableObjects } from './objects.ts'
import type { PrepareEnvironment } from './prepare.ts'
import { Readings, RecordingReader, type Refusal } from './readings.ts'
import type { Sliced } from './slices.ts'
import { Staged } from './staged.ts'

interface RuleState extends BuiltRule {
  readonly reads: readonly string[]
  readonly refusals: readonly Refusal[]
}

const NOTHING: readonly string[] = []

export class BuiltRules {
  readonly #env: PrepareEnvironment
  readonly #objects: TableObjects
  readonly #rules = new Staged<RuleState>()
  readonly #readings = new Readings()
  /** Keys of rules of which something was refused. */
  readonly #refused = new Set<string>()

  constructor(env: PrepareEnvironment, objects: TableObjects) {
    this.#env = env
    this.#objects = objects
  }

  /** Keys of the rules that are new, gone or built anew. */
  *build(changed: readonly ChangedObject[]): Sliced<ReadonlySet<string>> {
    this.#rules.reset()
    const keys = new Set<string>()
    for (const { id, kind, key } of changed) {
      if (kind === 'rule') keys.add(key)
      for (const reader of this.#readings.readersOf(id)) keys.add(reader)
    }
    for (const key of keys) {
      this.#rules.stage(key, this.#built(key))
      yield
    }
    return keys
  }

  #built(key: string): RuleState | null {
    const rule = this.#objects.get('rule', key)
    if (rule === null) return null
    const reader = new RecordingReader(this.#objects)
    const built = buildRule(key, rule, reader, this.#env)
    return { ...built, reads: [...reader.ids], refusals: reader.refusals }
  }

  get(key: string): BuiltRule | null {
    return this.#rules.get(key)
  }

  /** With the changes. */
  refusals(): readonly Refusal[] {
    const keys = new Set([...this.#refused, ...this.#rules.changes.keys()])
    return [...keys].flatMap((key) => this.#rules.get(key)?.refusals ?? [])
  }

  commit(): void {
    for (const [key, state] of this.#rules.changes) {
      this.#readings.set(key, state?.reads ?? NOTHING)
      if ((state?.refusals.length ?? 0) > 0) this.#refused.add(key)
      else this.#refused.delete(key)
    }
    this.#rules.commit()
  }
}
