/**
 * Conversions between CEL's types (`int(x)` …), and the text of a value where text is wanted.
 * Pinned by expression-conformance.test.ts: "CEL’s own test data evaluates as it says".
 */
import { EXHAUSTED, spendBytes, type Budget } from './budget.ts'
import { int64, noOverload, type Result } from './expression-arithmetic.ts'
import {
  durationOf,
  durationText,
  parseDuration,
  parseTimestamp,
  timestampOf,
  timestampText,
} from './expression-time.ts'
import { ExpressionFailure } from './expression-types.ts'
import {
  CelType,
  Double,
  doubleOf,
  Duration,
  isInt,
  numeric,
  Timestamp,
  typeName,
  Uint,
  type Plain,
} from './expression-values.ts'

const OVERFLOW = new ExpressionFailure('a number does not fit 64 bits')
const NO_NUMBER = new ExpressionFailure('a text is not a number')
const NO_BOOL = new ExpressionFailure('a text is neither true nor false')
const NO_UTF8 = new ExpressionFailure('bytes are not UTF-8')
const NANOS = 1_000_000_000n

export function toInt(value: Plain): Result {
  if (isInt(value)) return value
  if (value instanceof Timestamp) return value.seconds
  if (value instanceof Duration) return int64(value.nanos / NANOS)
  if (typeof value === 'string') return parseInteger(value, int64)
  const number = numeric(value)
  return number === null ? noOverload('int', value) : whole(number, 2 ** 63, int64)
}

export function toUint(value: Plain): Result {
  if (value instanceof Uint) return value
  if (typeof value === 'string') return parseInteger(value, uint64)
  const number = numeric(value)
  if (number === null) return noOverload('uint', value)
  return number < 0 ? OVERFLOW : whole(number, 2 ** 64, uint64)
}

function uint64(value: bigint): Result {
  return BigInt.asUintN(64, value) === value ? new Uint(value) : OVERFLOW
}

/** Integers have at most 20 digits; a longer text costs nothing. */
function parseInteger(text: string, make: (value: bigint) => Result): Result {
  if (!/^[+-]?\d{1,20}$/.test(text)) return NO_NUMBER
  return make(text.startsWith('+') ? BigInt(text.slice(1)) : BigInt(text))
}

/** Without its fraction; the bound itself is no longer exact as a double. */
function whole(number: number | bigint, bound: number, make: (value: bigint) => Result): Result {
  if (typeof number === 'bigint') return make(number)
  if (!(number < bound && number > -bound)) return OVERFLOW
  return make(BigInt(Math.trunc(number)))
}

const DOUBLE = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const NUMBER_LENGTH_MAX = 400
const NAMED_DOUBLES: { readonly [name: string]: number } = {
  NaN: Number.NaN,
  Inf: Number.POSITIVE_INFINITY,
  '+Inf': Number.POSITIVE_INFINITY,
  '-Inf': Number.NEGATIVE_INFINITY,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
}

export function toDouble(value: Plain): Result {
  const number = numeric(value)
  if (number !== null) return doubleOf(Number(number))
  if (typeof value !== 'string') return noOverload('double', value)
  const named = Object.hasOwn(NAMED_DOUBLES, value) ? NAMED_DOUBLES[value] : undefined
  if (named !== undefined) return named
  const digits = value.length <= NUMBER_LENGTH_MAX && DOUBLE.test(value)
  return digits ? doubleOf(Number(value)) : NO_NUMBER
}

export function toBool(value: Plain): Result {
  if (typeof value === 'boolean') return value
  if (typeof value !== 'string') return noOverload('bool', value)
  if (['true', 'True', 'TRUE', 't', '1'].includes(value)) return true
  if (['false', 'False', 'FALSE', 'f', '0'].includes(value)) return false
  return NO_BOOL
}

export function toBytes(value: Plain, budget: Budget): Result {
  if (value instanceof Uint8Array) return value
  if (typeof value !== 'string') return noOverload('bytes', value)
  return spendBytes(budget, value.length) ? new TextEncoder().encode(value) : EXHAUSTED
}

export function toString(value: Plain, budget: Budget): Result {
  const text = scalarText(value)
  if (text !== null) return text
  if (!(value instanceof Uint8Array)) return noOverload('string', value)
  if (!spendBytes(budget, value.length)) return EXHAUSTED
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value)
  } catch {
    return NO_UTF8
  }
}

/** The text of everything that is no bytes, list, map, null or type; else null. */
export function scalarText(value: Plain): string | null {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value)
    default:
      return specialText(value)
  }
}

function specialText(value: Plain): string | null {
  if (value instanceof Double || value instanceof Uint) return String(value.value)
  if (value instanceof Timestamp) return timestampText(value)
  return value instanceof Duration ? durationText(value) : null
}

export function toTimestamp(value: Plain): Result {
  if (value instanceof Timestamp) return value
  if (typeof value === 'string') return parseTimestamp(value)
  return isInt(value) ? timestampOf(BigInt(value) * NANOS) : noOverload('timestamp', value)
}

export function toDuration(value: Plain): Result {
  if (value instanceof Duration) return value
  if (typeof value === 'string') return parseDuration(value)
  return isInt(value) ? durationOf(BigInt(value) * NANOS) : noOverload('duration', value)
}

export function typeOf(value: Plain): CelType {
  return new CelType(typeName(value))
}
