/**
 * Equality and order of CEL values. Numbers of every type compare by value; other types are equal
 * only to their own, and ordered only among their own.
 * Pinned by expression-oracle.test.ts: "random expressions evaluate as the library evaluates them".
 */
import { spendScan, spendSteps, type Budget } from './budget.ts'
import type { CelValue } from './expression-types.ts'
import {
  CelType,
  Duration,
  isList,
  isMap,
  keysOf,
  lookUp,
  mapKey,
  numeric,
  plain,
  sizeOf,
  Timestamp,
  type CelMap,
  type Plain,
  type PlainMap,
} from './expression-values.ts'

export function equal(left: CelValue, right: CelValue, budget: Budget): boolean {
  if (typeof left === 'string' && typeof right === 'string') {
    return left.length === right.length && spendScan(budget, left.length) && left === right
  }
  if (left === right) return true
  return equalObjects(plain(left), plain(right), budget)
}

function equalObjects(left: Plain, right: Plain, budget: Budget): boolean {
  const number = numeric(left)
  if (number !== null) return sameNumber(number, numeric(right))
  if (isList(left)) return isList(right) && equalLists(left, right, budget)
  if (left instanceof Uint8Array) {
    return right instanceof Uint8Array && compareBytes(left, right, budget) === 0
  }
  if (isMap(left)) return isMap(right) && equalMaps(left, right, budget)
  return equalSpecial(left, right)
}

function equalSpecial(left: Plain, right: Plain): boolean {
  if (left instanceof Timestamp) {
    if (!(right instanceof Timestamp)) return false
    return left.seconds === right.seconds && left.nanos === right.nanos
  }
  if (left instanceof Duration) return right instanceof Duration && left.nanos === right.nanos
  if (left instanceof CelType) return right instanceof CelType && left.name === right.name
  return left === right
}

function equalLists(
  left: readonly CelValue[],
  right: readonly CelValue[],
  budget: Budget,
): boolean {
  if (left.length !== right.length) return false
  for (const [i, value] of left.entries()) {
    const other = right[i]
    if (!spendSteps(budget, 1) || other === undefined) return false
    if (!equal(value, other, budget)) return false
  }
  return true
}

function equalMaps(left: PlainMap | CelMap, right: PlainMap | CelMap, budget: Budget): boolean {
  if (!spendSteps(budget, 1 + (sizeOf(left) >>> 3)) || sizeOf(left) !== sizeOf(right)) return false
  for (const key of keysOf(left)) {
    if (!spendSteps(budget, 1)) return false
    const at = mapKey(plain(key))
    const value = at === null ? undefined : lookUp(left, at)
    const other = at === null ? undefined : lookUp(right, at)
    if (value === undefined || other === undefined || !equal(value, other, budget)) return false
  }
  return true
}

/** Negative, zero or positive; NaN where neither is less (NaN itself); null: no such order. */
export function compare(left: Plain, right: Plain, budget: Budget): number | null {
  if (typeof left === 'string') return typeof right === 'string' ? order(left, right) : null
  const number = numeric(left)
  if (number !== null) {
    const other = numeric(right)
    return other === null ? null : orderOfNumbers(number, other)
  }
  if (typeof left === 'boolean') {
    return typeof right === 'boolean' ? Number(left) - Number(right) : null
  }
  if (left instanceof Uint8Array) {
    return right instanceof Uint8Array ? compareBytes(left, right, budget) : null
  }
  return compareTimes(left, right)
}

function compareTimes(left: Plain, right: Plain): number | null {
  if (left instanceof Timestamp && right instanceof Timestamp) {
    return left.seconds === right.seconds ? left.nanos - right.nanos : left.seconds - right.seconds
  }
  if (left instanceof Duration && right instanceof Duration) return order(left.nanos, right.nanos)
  return null
}

/** Exact, also between an int of 64 bits and a double. */
function sameNumber(left: number | bigint, right: number | bigint | null): boolean {
  return right !== null && !(left < right) && !(left > right) && isOrdered(left, right)
}

function isOrdered(left: number | bigint, right: number | bigint): boolean {
  return !Number.isNaN(left) && !Number.isNaN(right)
}

/** Where one is a double both are, as CEL has it: large ints lose their last digits. */
function orderOfNumbers(left: number | bigint, right: number | bigint): number {
  if (!isOrdered(left, right)) return Number.NaN
  return typeof left === typeof right ? order(left, right) : order(Number(left), Number(right))
}

function order<T extends number | bigint | string>(left: T, right: T): number {
  if (left < right) return -1
  return left > right ? 1 : 0
}

function compareBytes(left: Uint8Array, right: Uint8Array, budget: Budget): number {
  const length = Math.min(left.length, right.length)
  if (!spendScan(budget, length)) return 0
  for (let i = 0; i < length; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

/** `x in list`, `key in map`; null where there is no such question. */
export function contains(container: Plain, value: CelValue, budget: Budget): boolean | null {
  if (isList(container)) return listContains(container, value, budget)
  if (!isMap(container)) return null
  const key = mapKey(plain(value))
  if (key === null) return typeof value === 'number' ? false : null
  return lookUp(container, key) !== undefined
}

function listContains(list: readonly CelValue[], value: CelValue, budget: Budget): boolean {
  for (const item of list) {
    if (item === value) return true
    if (!spendSteps(budget, 1)) return false
    if (typeof item !== 'string' && equal(item, value, budget)) return true
  }
  return false
}
