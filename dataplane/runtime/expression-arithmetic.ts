/**
 * `+ - * / %` and negation. Ints are 64 bits and overflow is a failure; where one side is a double
 * both are, because JSON does not say which of its numbers are which; uints stay among themselves.
 * Pinned by expression-values.test.ts: "integers are exact to the last of 64 bits".
 */
import { ELEMENT_BYTES, EXHAUSTED, spendBytes, type Budget } from './budget.ts'
import { ExpressionFailure, type CelValue } from './expression-types.ts'
import { addTimes, subtractTimes } from './expression-time.ts'
import {
  Double,
  doubleOf,
  intOf,
  isDouble,
  isInt,
  isList,
  plain,
  typeName,
  Uint,
  type Plain,
} from './expression-values.ts'

export type Result = CelValue | ExpressionFailure
export type Operator = '+' | '-' | '*' | '/' | '%'

const OVERFLOW = new ExpressionFailure('a number does not fit 64 bits')
const BY_ZERO = new ExpressionFailure('a division by zero')

/** `left + right`, with the common cases first. */
export function add(left: CelValue, right: CelValue, budget: Budget): Result {
  if (typeof left === 'string' && typeof right === 'string') {
    if (!spendBytes(budget, left.length + right.length)) return EXHAUSTED
    return left + right
  }
  if (isSafe(left) && isSafe(right)) {
    const sum = left + right
    return Number.isSafeInteger(sum) ? sum : int64(BigInt(left) + BigInt(right))
  }
  return addOthers(plain(left), plain(right), budget)
}

function isSafe(value: CelValue): value is number {
  return Number.isSafeInteger(value)
}

function addOthers(left: Plain, right: Plain, budget: Budget): Result {
  if (isList(left) && isList(right)) {
    if (!spendBytes(budget, ELEMENT_BYTES * (left.length + right.length))) return EXHAUSTED
    return [...left, ...right]
  }
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    if (!spendBytes(budget, left.length + right.length)) return EXHAUSTED
    const bytes = new Uint8Array(left.length + right.length)
    bytes.set(left)
    bytes.set(right, left.length)
    return bytes
  }
  return addTimes(left, right) ?? calculate('+', left, right)
}

export function subtract(left: CelValue, right: CelValue): Result {
  if (isSafe(left) && isSafe(right)) {
    const difference = left - right
    return Number.isSafeInteger(difference) ? difference : int64(BigInt(left) - BigInt(right))
  }
  return subtractTimes(plain(left), plain(right)) ?? calculate('-', plain(left), plain(right))
}

export function calculate(operator: Operator, left: Plain, right: Plain): Result {
  if (isInt(left) && isInt(right)) return onInts(operator, BigInt(left), BigInt(right))
  if (left instanceof Uint && right instanceof Uint) {
    return onUints(operator, left.value, right.value)
  }
  const doubles = doublesOf(left, right)
  if (doubles === null) return noOverload(operator, left, right)
  return doubleOf(onDoubles(operator, doubles[0], doubles[1]))
}

/** Both as doubles where one is a double, else null. */
function doublesOf(left: Plain, right: Plain): readonly [number, number] | null {
  if (!isDouble(left) && !isDouble(right)) return null
  const [one, other] = [toDouble(left), toDouble(right)]
  return one === null || other === null ? null : [one, other]
}

function toDouble(value: Plain): number | null {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  return value instanceof Double ? value.value : null
}

function onInts(operator: Operator, left: bigint, right: bigint): Result {
  if (right === 0n && (operator === '/' || operator === '%')) return BY_ZERO
  return int64(onBigints(operator, left, right))
}

function onUints(operator: Operator, left: bigint, right: bigint): Result {
  if (right === 0n && (operator === '/' || operator === '%')) return BY_ZERO
  const value = onBigints(operator, left, right)
  return BigInt.asUintN(64, value) === value ? new Uint(value) : OVERFLOW
}

function onBigints(operator: Operator, left: bigint, right: bigint): bigint {
  switch (operator) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return left / right
    case '%':
      return left % right
    default:
      return operator satisfies never
  }
}

function onDoubles(operator: Operator, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return left / right
    case '%':
      return left % right
    default:
      return operator satisfies never
  }
}

export function int64(value: bigint): number | bigint | ExpressionFailure {
  return BigInt.asIntN(64, value) === value ? intOf(value) : OVERFLOW
}

export function negate(value: Plain): Result {
  if (isInt(value)) return value === 0 ? 0 : int64(-BigInt(value))
  const double = toDouble(value)
  return double === null ? noOverload('-', value) : doubleOf(-double)
}

/** Names types, never values: failures go to logs. */
export function noOverload(name: string, ...values: readonly CelValue[]): ExpressionFailure {
  return new ExpressionFailure(`${name} does not take ${values.map(typeName).join(' and ')}`)
}
