/**
 * `all`, `exists`, `exists_one`, `map` and `filter`: the only loops of the language. Each round
 * costs as many steps as its body has parts, and each element of a new list its bytes.
 * Pinned by expression-budget.test.ts: "a nested macro over 150 elements stops within its budget".
 */
import {
  ELEMENT_BYTES,
  EXHAUSTED,
  spendBytes,
  spendKeys,
  spendSteps,
  type Budget,
} from './budget.ts'
import { noOverload, type Result } from './expression-arithmetic.ts'
import { notBool } from './expression-operators.ts'
import { ExpressionFailure, type CelValue, type Scope } from './expression-types.ts'
import { isList, isMap, keysOf, plain } from './expression-values.ts'
import type { Evaluate } from './expression-variables.ts'

/** Where the body finds the element of the round. Evaluations do not wait, so one is enough. */
export interface Cell {
  value: CelValue
}

export interface Loop {
  readonly range: Evaluate
  readonly cell: Cell
  readonly budget: Budget
  /** Steps of one round. */
  readonly cost: number
}

/** What a round says: go on, or the answer of the whole. */
type Round = (value: Result) => Result | undefined

/** Undefined: no round had an answer. */
function each(loop: Loop, scope: Scope, body: Evaluate, round: Round): Result | undefined {
  const items = itemsOf(loop.range(scope), loop.budget)
  if (items instanceof ExpressionFailure) return items
  const { cell, budget, cost } = loop
  let answer: Result | undefined
  for (const item of items) {
    if (!spendSteps(budget, cost)) return EXHAUSTED
    cell.value = item
    answer = round(body(scope))
    if (answer !== undefined) break
  }
  // nothing of a request is kept beyond it
  cell.value = null
  return answer
}

function itemsOf(range: Result, budget: Budget): readonly CelValue[] | ExpressionFailure {
  if (range instanceof ExpressionFailure) return range
  const container = plain(range)
  if (isList(container)) return container
  if (!isMap(container)) return noOverload('a macro', container)
  const keys = keysOf(container)
  return spendKeys(budget, keys.length) ? keys : EXHAUSTED
}

export function all(loop: Loop, test: Evaluate): Evaluate {
  return (scope) => {
    let failure: ExpressionFailure | null = null
    const answer = each(loop, scope, test, (value) => {
      if (value === false) return false
      if (value !== true) failure ??= notBool(value)
      return undefined
    })
    return answer ?? failure ?? true
  }
}

export function exists(loop: Loop, test: Evaluate): Evaluate {
  return (scope) => {
    let failure: ExpressionFailure | null = null
    const answer = each(loop, scope, test, (value) => {
      if (value === true) return true
      if (value !== false) failure ??= notBool(value)
      return undefined
    })
    return answer ?? failure ?? false
  }
}

export function existsOne(loop: Loop, test: Evaluate): Evaluate {
  return (scope) => {
    let count = 0
    const answer = each(loop, scope, test, (value) => {
      if (value === true) count++
      return value === true || value === false ? undefined : notBool(value)
    })
    return answer ?? count === 1
  }
}

export function map(loop: Loop, step: Evaluate): Evaluate {
  return (scope) => {
    const list: CelValue[] = []
    const answer = each(loop, scope, step, (value) => {
      if (value instanceof ExpressionFailure) return value
      if (!spendBytes(loop.budget, ELEMENT_BYTES)) return EXHAUSTED
      list.push(value)
      return undefined
    })
    return answer ?? list
  }
}

/** `filter(x, test)` and `map(x, test, step)`. */
export function filter(loop: Loop, test: Evaluate, step: Evaluate): Evaluate {
  return (scope) => {
    const list: CelValue[] = []
    const answer = each(loop, scope, test, (value) => {
      if (value === false) return undefined
      if (value !== true) return notBool(value)
      const made = step(scope)
      if (made instanceof ExpressionFailure) return made
      if (!spendBytes(loop.budget, ELEMENT_BYTES)) return EXHAUSTED
      list.push(made)
      return undefined
    })
    return answer ?? list
  }
}
