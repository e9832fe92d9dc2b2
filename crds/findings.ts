/**
 * Where a check stands and what it has found: places as a chain that becomes text only when there is
 * something to say, and a bounded list of problems.
 * Pinned by decode.test.ts: "a hopeless object gives a bounded list".
 */
import type { ConditionReason } from './condition.ts'

export interface DecodeProblem {
  /** `spec.rules[2].match[0].path`; keys that are no identifiers are quoted in brackets. */
  readonly path: string
  readonly reason: Extract<ConditionReason, 'Invalid' | 'UnknownField'>
  /** What is wrong and what to do. */
  readonly sentence: string
}

/** A field, an entry of a map, or an item of a list. */
export interface Place {
  readonly parent: Place | null
  readonly step: string | number
}

/** More would not help anybody, and a status must hold them. */
export const PROBLEMS_MAX = 32

/** Values that one decode looks at: ten times what the largest sensible object has. */
export const NODES_MAX = 200_000

export class Findings {
  /** Of all problems, also those that are not kept. */
  count = 0
  readonly problems: DecodeProblem[] = []
  #nodes = 0

  add(place: Place, reason: DecodeProblem['reason'], sentence: string): void {
    this.count += 1
    if (this.count <= PROBLEMS_MAX) this.problems.push({ path: pathOf(place), reason, sentence })
    if (this.count === PROBLEMS_MAX + 1) {
      const more = 'There are more problems than these; mend these first.'
      this.problems.push({ path: 'spec', reason: 'Invalid', sentence: more })
    }
  }

  /** Counts one value; `ended` once there is nothing more to learn from looking further. */
  visit(place: Place): 'goOn' | 'ended' {
    this.#nodes += 1
    if (this.#nodes === NODES_MAX) {
      this.add(place, 'Invalid', `This object has more than ${NODES_MAX} values; split it.`)
    }
    return this.#nodes >= NODES_MAX || this.count > PROBLEMS_MAX ? 'ended' : 'goOn'
  }
}

export function child(parent: Place, step: string | number): Place {
  return { parent, step }
}

/** Written as compile's FieldPath writes it. */
export function pathOf(place: Place): string {
  const steps: (string | number)[] = []
  for (let at: Place | null = place; at !== null; at = at.parent) steps.push(at.step)
  return steps
    .toReversed()
    .map((step, i) => written(step, i))
    .join('')
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/

function written(step: string | number, depth: number): string {
  if (typeof step === 'number') return `[${step}]`
  if (!IDENTIFIER.test(step)) return `[${JSON.stringify(step.slice(0, 128))}]`
  return depth === 0 ? step : `.${step}`
}
