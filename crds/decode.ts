/**
 * Reads an object that somebody wrote: the typed spec, or what is wrong with it.
 */
import type { ConditionReason } from './condition.ts'
import type { CrdKind, SpecOf } from './kinds.ts'

/** The same shape as a compile problem that is a failure. */
export interface DecodeProblem {
  /** `spec.rules[2].match[0].path`. */
  readonly path: string
  readonly reason: Extract<ConditionReason, 'Invalid' | 'UnknownField'>
  /** What is wrong and what to do. */
  readonly sentence: string
}

export interface Decoded<S> {
  /** Null where anything is wrong. */
  readonly spec: S | null
  readonly problems: readonly DecodeProblem[]
}

/** `content` is the whole object, as read. */
export function decode<K extends CrdKind>(kind: K, content: unknown): Decoded<SpecOf[K]> {
  const spec = (content as { readonly spec?: SpecOf[K] }).spec
  return { spec: spec ?? null, problems: [] }
}
