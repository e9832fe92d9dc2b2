/**
 * Operators as closures: each has its common case in front, where a type check is all that stands
 * between the operands and the answer, and leaves the rest to the full rules of CEL.
 * Measured by expression.bench.ts; pinned by expression-oracle.test.ts: "random expressions evaluate
 * as the library evaluates them".
 */
import { EXHAUSTED, isSpent, type Budget } from './budget.ts'
import {
  add,
  calculate,
  negate,
  noOverload,
  subtract,
  type Operator,
  type Result,
} from './expression-arithmetic.ts'
import { compare, contains, equal } from './expression-compare.ts'
import { ExpressionFailure, type CelValue } from './expression-types.ts'
import { isList, plain } from './expression-values.ts'
import type { Evaluate } from './expression-variables.ts'

/** A part of an expression: how it runs, and its value where that never changes. */
export interface Part {
  readonly run: Evaluate
  readonly constant: Result | undefined
}

const NOT_BOOL = new ExpressionFailure('a condition is neither true nor false')

/** Errors do not matter where the other side decides. */
export function and(left: Evaluate, right: Evaluate): Evaluate {
  return (scope) => {
    const one = left(scope)
    if (one === false) return false
    const other = right(scope)
    if (other === false) return false
    if (one === true && other === true) return true
    return one === true ? notBool(other) : notBool(one)
  }
}

export function or(left: Evaluate, right: Evaluate): Evaluate {
  return (scope) => {
    const one = left(scope)
    if (one === true) return true
    const other = right(scope)
    if (other === true) return true
    if (one === false && other === false) return false
    return one === false ? notBool(other) : notBool(one)
  }
}

export function notBool(value: Result): ExpressionFailure {
  return value instanceof ExpressionFailure ? value : NOT_BOOL
}

export function not(operand: Evaluate): Evaluate {
  return (scope) => {
    const value = operand(scope)
    if (value === true) return false
    return value === false ? true : notBool(value)
  }
}

export function conditional(test: Evaluate, yes: Evaluate, no: Evaluate): Evaluate {
  return (scope) => {
    const value = test(scope)
    if (value === true) return yes(scope)
    return value === false ? no(scope) : notBool(value)
  }
}

export function equality(left: Part, right: Part, budget: Budget): Evaluate {
  const { constant } = right
  if (typeof constant === 'string') return equalsText(left.run, constant, budget)
  return (scope) => {
    const one = left.run(scope)
    if (one instanceof ExpressionFailure) return one
    const other = right.run(scope)
    if (other instanceof ExpressionFailure) return other
    return equal(one, other, budget)
  }
}

function equalsText(left: Evaluate, text: string, budget: Budget): Evaluate {
  return (scope) => {
    const value = left(scope)
    if (typeof value === 'string') return value === text
    return value instanceof ExpressionFailure ? value : equal(value, text, budget)
  }
}

export function inequality(left: Part, right: Part, budget: Budget): Evaluate {
  return not(equality(left, right, budget))
}

export type Order = '<' | '<=' | '>' | '>='

export function comparison(
  order: Order,
  left: Evaluate,
  right: Evaluate,
  budget: Budget,
): Evaluate {
  const holds = HOLDS[order]
  return (scope) => {
    const one = left(scope)
    if (one instanceof ExpressionFailure) return one
    const other = right(scope)
    if (other instanceof ExpressionFailure) return other
    if (typeof one === 'number' && typeof other === 'number') return holds(one, other)
    const difference = compare(plain(one), plain(other), budget)
    return difference === null ? noOverload(order, one, other) : holds(difference, 0)
  }
}

/** NaN stands for numbers that have no order: none of them holds. */
const HOLDS: { readonly [O in Order]: (left: number, right: number) => boolean } = {
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
}

export function membership(value: Evaluate, container: Part, budget: Budget): Evaluate {
  const texts = textsOf(container.constant)
  if (texts !== null) return amongTexts(value, texts)
  return (scope) => {
    const one = value(scope)
    if (one instanceof ExpressionFailure) return one
    const other = container.run(scope)
    if (other instanceof ExpressionFailure) return other
    return contains(plain(other), one, budget) ?? noOverload('in', one, other)
  }
}

function textsOf(list: Result | undefined): ReadonlySet<CelValue> | null {
  if (!isList(list) || !list.every((item) => typeof item === 'string')) return null
  return new Set(list)
}

function amongTexts(value: Evaluate, texts: ReadonlySet<CelValue>): Evaluate {
  return (scope) => {
    const one = value(scope)
    return one instanceof ExpressionFailure ? one : texts.has(one)
  }
}

export function arithmetic(
  operator: Operator,
  left: Evaluate,
  right: Evaluate,
  budget: Budget,
): Evaluate {
  return (scope) => {
    const one = left(scope)
    if (one instanceof ExpressionFailure) return one
    const other = right(scope)
    if (other instanceof ExpressionFailure) return other
    switch (operator) {
      case '+':
        return add(one, other, budget)
      case '-':
        return subtract(one, other)
      default:
        return calculate(operator, plain(one), plain(other))
    }
  }
}

export function negation(operand: Evaluate): Evaluate {
  return (scope) => {
    const value = operand(scope)
    return value instanceof ExpressionFailure ? value : negate(plain(value))
  }
}

/** The whole expression: a spent budget is a failure, whatever was made of it on the way. */
export function within(budget: Budget, value: Result): Result {
  return isSpent(budget) ? EXHAUSTED : value
}
