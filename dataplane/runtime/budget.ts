/**
 * What one evaluation may cost, counted while it runs: steps for whatever loops, bytes for whatever
 * grows. Operators that find it spent stop early with any value; the evaluation as a whole then
 * fails, whatever its operators made of that.
 * Pinned by expression-budget.test.ts: "a nested macro over 150 elements stops within its budget".
 */
import { EVALUATION_BYTES_MAX, EVALUATION_STEPS_MAX } from '#wire/limits'
import { ExpressionFailure } from './expression-types.ts'

/** Evaluations do not wait, so all expressions of a worker share one. */
export interface Budget {
  stepsLeft: number
  bytesLeft: number
}

export const EXHAUSTED = new ExpressionFailure(
  `the evaluation needs more than ${EVALUATION_STEPS_MAX} steps or ${EVALUATION_BYTES_MAX} bytes`,
)

export function createBudget(): Budget {
  return { stepsLeft: EVALUATION_STEPS_MAX, bytesLeft: EVALUATION_BYTES_MAX }
}

export function refill(budget: Budget): void {
  budget.stepsLeft = EVALUATION_STEPS_MAX
  budget.bytesLeft = EVALUATION_BYTES_MAX
}

export function isSpent(budget: Budget): boolean {
  return budget.stepsLeft < 0 || budget.bytesLeft < 0
}

/** False: stop, there is nothing left. */
export function spendSteps(budget: Budget, steps: number): boolean {
  budget.stepsLeft -= steps
  return budget.stepsLeft >= 0 && budget.bytesLeft >= 0
}

export function spendBytes(budget: Budget, bytes: number): boolean {
  budget.bytesLeft -= bytes
  return budget.stepsLeft >= 0 && budget.bytesLeft >= 0
}

/** Reading through a text of this length: as cheap as one step for a short one. */
export function spendScan(budget: Budget, length: number): boolean {
  return spendSteps(budget, 1 + Math.floor(length / 256))
}

/** Listing this many keys of a map. */
export function spendKeys(budget: Budget, keys: number): boolean {
  return spendSteps(budget, 1 + (keys >>> 4))
}

/** One element of a list or a map, not counting what it refers to. */
export const ELEMENT_BYTES = 16
