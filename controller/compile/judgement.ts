/**
 * The words of verdicts: what every kind's judge says, so that equal cases read alike.
 * Pinned by judge.test.ts: "a verdict that says nothing new keeps its identity".
 */
import type { ConditionReason } from '../../crds/condition.ts'
import type { Judgement, TargetVerdict } from './compiled.ts'
import type { Runs } from './last-valid.ts'
import type { Problem } from './problem.ts'
import type { Resource } from './snapshot.ts'

/** What is said of an object besides who it is. */
export interface Opinion {
  readonly resource: Resource
  readonly problems: readonly Problem[]
  readonly accepted: Judgement
  readonly targets: readonly TargetVerdict[]
  readonly runs: Runs
}

export function isFailure({ severity }: Problem): boolean {
  return severity === 'failure'
}

export const ACCEPTED: Judgement = {
  status: 'True',
  reason: 'Accepted',
  message: 'Everything in it is valid.',
}

/** Decided here, so that no data plane need be asked. */
export const NOT_ACCEPTED: Judgement = {
  status: 'False',
  reason: 'NotAccepted',
  message: 'Nothing of it runs here; see Accepted.',
}

export function refused(reason: ConditionReason, message: string): Judgement {
  return { status: 'False', reason, message }
}

export function refusedFor({ reason, path, sentence }: Problem): Judgement {
  return refused(reason, `${path}: ${sentence}`)
}

/** `some`: part of it runs all the same. */
export function acceptance(problems: readonly Problem[], works: 'some' | 'none'): Judgement {
  const first = problems.find(isFailure)
  if (first === undefined) return ACCEPTED
  const why = refusedFor(first)
  return works === 'some' ? { ...why, reason: 'PartiallyAccepted' } : why
}

/** An update that is invalid in itself, while the last valid spec runs. */
export function updateRefused(problems: readonly Problem[], generation: number): Judgement {
  const first = problems.find(isFailure)
  if (first === undefined) return ACCEPTED
  const why = refusedFor(first)
  return { ...why, message: `${why.message} Generation ${generation}, the last valid one, runs.` }
}
