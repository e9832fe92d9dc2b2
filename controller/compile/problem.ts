/**
 * A mistake in what a user wrote: where, which documented reason, and what to do about it. Every
 * compile step returns its best value together with the problems it found.
 * Pinned by problem.test.ts: "a path names fields, quotes keys and numbers list items".
 */
import type { ConditionReason } from '../../crds/condition.ts'

export interface Problem {
  /** `spec.rules[2].match[0].path`; list items by position, keys that are no identifiers quoted. */
  readonly path: string
  readonly reason: ConditionReason
  /** What is wrong and what to do, in one or two sentences. */
  readonly sentence: string
  /** `warning`: the object is accepted all the same. */
  readonly severity: 'failure' | 'warning'
}

export interface Checked<T> {
  readonly value: T
  readonly problems: readonly Problem[]
}

export function unusable(problem: Problem): Checked<null> {
  return { value: null, problems: [problem] }
}

/** A place in a spec, typed so that only keys that exist can be named. */
export class FieldPath<T> {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }

  child<K extends keyof T & string>(key: K): FieldPath<NonNullable<T[K]>> {
    return new FieldPath(`${this.text}${step(key)}`)
  }

  /** An entry of a map whose keys the user chose, or a member of a union. */
  key(name: string): FieldPath<T extends Readonly<Record<string, infer V>> ? V : unknown> {
    return new FieldPath(`${this.text}${step(name)}`)
  }

  index(position: number): FieldPath<T extends readonly (infer V)[] ? V : unknown> {
    return new FieldPath(`${this.text}[${position}]`)
  }

  problem(reason: ConditionReason, sentence: string): Problem {
    return { path: this.text, reason, sentence, severity: 'failure' }
  }

  warning(reason: ConditionReason, sentence: string): Problem {
    return { path: this.text, reason, sentence, severity: 'warning' }
  }
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/

function step(key: string): string {
  return IDENTIFIER.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
}
