/**
 * `a.b`, `a["b"]`, `a[0]` and `has(a.b)`: what is not there is a failure that says so, so that
 * `has` and `value` can tell it from a mistake, at every level.
 * Pinned by expression.test.ts: "has is safe at every level".
 */
import type { Result } from './expression-arithmetic.ts'
import { noOverload } from './expression-arithmetic.ts'
import { ExpressionFailure, type CelValue } from './expression-types.ts'
import {
  CelMap,
  CelType,
  Double,
  Duration,
  isList,
  isMap,
  isPlainMap,
  JsonText,
  lookUp,
  mapKey,
  plain,
  Timestamp,
  Uint,
  type Plain,
} from './expression-values.ts'
import { absent, type EntryReader, type Evaluate } from './expression-variables.ts'

const OUT_OF_RANGE = absent('an element of the list')
const NO_KEY = absent('a key of the map')

/** Fields of what has none are absent too: a text has no `.name` any more than an empty map. */
export function field(operand: Evaluate, name: string): Evaluate {
  const missing = absent(name)
  const guarded = guardedField(operand, name, missing)
  if (FOREIGN_NAMES.has(name)) return guarded
  // only a plain map can have something by this name, so that nothing else need be asked
  return (scope) => {
    const value = operand(scope)
    const found = mayHoldFields(value) ? value[name] : undefined
    return found === undefined ? guardedValue(value, name, missing) : found
  }
}

function guardedField(operand: Evaluate, name: string, missing: ExpressionFailure): Evaluate {
  return (scope) => guardedValue(operand(scope), name, missing)
}

function guardedValue(value: Result, name: string, missing: ExpressionFailure): Result {
  if (value instanceof ExpressionFailure) return value
  if (isPlainMap(value)) return lookUp(value, name) ?? (Object.hasOwn(value, name) ? null : missing)
  const found = fieldOfOther(value, name)
  return found === undefined ? missing : found
}

/** Nothing but a guess: the name decides whether it is a right one. */
function mayHoldFields(value: Result): value is { readonly [name: string]: CelValue } {
  return typeof value === 'object' && value !== null
}

/** Whatever objects that are no plain maps have or inherit by themselves. */
const FOREIGN_NAMES: ReadonlySet<string> = new Set(
  [
    [],
    new Uint8Array(),
    new ExpressionFailure(''),
    new CelMap(new Map()),
    new CelType(''),
    new Double(0),
    new Duration(0n),
    new JsonText('', null),
    new Timestamp(0, 0),
    new Uint(0n),
  ].flatMap(namesOf),
)

function namesOf(object: object): string[] {
  const names = Object.getOwnPropertyNames(object)
  const prototype: unknown = Object.getPrototypeOf(object)
  return typeof prototype === 'object' && prototype !== null
    ? [...names, ...namesOf(prototype)]
    : names
}

function fieldOfOther(value: CelValue, name: string): CelValue | undefined {
  if (value instanceof JsonText) {
    return isMap(value.value) ? lookUp(value.value, name) : undefined
  }
  return value instanceof CelMap ? lookUp(value, name) : undefined
}

export function element(operand: Evaluate, key: Evaluate): Evaluate {
  return (scope) => {
    const container = operand(scope)
    if (container instanceof ExpressionFailure) return container
    const at = key(scope)
    if (at instanceof ExpressionFailure) return at
    return elementOf(plain(container), plain(at))
  }
}

function elementOf(container: Plain, at: Plain): Result {
  if (isList(container)) {
    const index = positionOf(at)
    if (index === null) return noOverload('a list index', at)
    return container[index] ?? itemOr(container, index)
  }
  if (!isMap(container)) return noOverload('an index', container)
  const key = mapKey(at)
  if (key === null) return noOverload('a map key', at)
  const found = lookUp(container, key)
  return found === undefined ? NO_KEY : found
}

/** A null in the list is there; beyond its ends there is nothing. */
function itemOr(list: readonly CelValue[], index: number): Result {
  return list[index] === null ? null : OUT_OF_RANGE
}

/** Whole numbers of every type count as positions. */
function positionOf(value: Plain): number | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : null
  if (value instanceof Uint) return Number(value.value)
  if (value instanceof Double) return value.value
  return typeof value === 'bigint' ? -1 : null
}

/** One entry of `request.headers` or `request.query`, by a name that is known or computed. */
export function entry(read: EntryReader, name: string): Evaluate {
  const missing = absent(name)
  return (scope) => read(scope, name) ?? missing
}

export function computedEntry(read: EntryReader, name: Evaluate): Evaluate {
  return (scope) => {
    const text = name(scope)
    if (text instanceof ExpressionFailure) return text
    return typeof text === 'string' ? (read(scope, text) ?? NO_KEY) : noOverload('a map key', text)
  }
}

export function has(selection: Evaluate): Evaluate {
  return (scope) => {
    const value = selection(scope)
    if (!(value instanceof ExpressionFailure)) return true
    return value.why === 'absent' ? false : value
  }
}

/** `value(x, default)`: for what is absent or null. */
export function valueOr(value: Evaluate, fallback: Evaluate): Evaluate {
  return (scope) => {
    const found = value(scope)
    if (found === null) return fallback(scope)
    if (!(found instanceof ExpressionFailure)) return found
    return found.why === 'absent' ? fallback(scope) : found
  }
}
