/**
 * The functions of expressions by name: what `f(x)` and `x.f()` run, once their arguments have
 * values. The numbers of arguments were checked against the vocabulary when the closure was built.
 * Pinned by expression.test.ts: "every variable and function of the vocabulary evaluates".
 */
import { inRange, parseAddress, parseCidr } from '#wire/address'
import { EXHAUSTED, spendKeys, spendScan, type Budget } from './budget.ts'
import { noOverload, type Result } from './expression-arithmetic.ts'
import { calendarPart, type CalendarPart } from './expression-calendar.ts'
import {
  toBool,
  toBytes,
  toDouble,
  toDuration,
  toInt,
  toString,
  toTimestamp,
  toUint,
  typeOf,
} from './expression-convert.ts'
import { format } from './expression-format.ts'
import {
  charAt,
  contains,
  endsWith,
  indexOf,
  join,
  lastIndexOf,
  lowerAscii,
  quote,
  replace,
  reverse,
  split,
  startsWith,
  substring,
  trim,
  upperAscii,
} from './expression-strings.ts'
import { durationIn } from './expression-time.ts'
import { ExpressionFailure } from './expression-types.ts'
import {
  Duration,
  isList,
  isMap,
  lookUp,
  plain,
  sizeOf,
  Timestamp,
  type Plain,
} from './expression-values.ts'

/** The first argument is always there; a method's is the value before the dot. */
export type Implementation = (budget: Budget, ...args: readonly [Plain, ...Plain[]]) => Result

const NO_ADDRESS = new ExpressionFailure('inCidr: the first argument is no IP address')
const NO_RANGE = new ExpressionFailure('inCidr: the second argument is no CIDR range')

/** All but `matches`, `has`, `value` and operators, which need more than values. */
export const IMPLEMENTATIONS: { readonly [name: string]: Implementation } = {
  size,
  timestamp: (_budget, value) => toTimestamp(value),
  duration: (_budget, value) => toDuration(value),
  int: (_budget, value) => toInt(value),
  uint: (_budget, value) => toUint(value),
  double: (_budget, value) => toDouble(value),
  string: (budget, value) => toString(value, budget),
  bytes: (budget, value) => toBytes(value, budget),
  bool: (_budget, value) => toBool(value),
  type: (_budget, value) => typeOf(value),
  dyn: (_budget, value) => value,
  inCidr,
  scopes: (_budget, claims) => scopes(claims),
  'strings.quote': (budget, text) => quote(budget, text),
  contains: (budget, text, part = null) => contains(budget, text, part),
  startsWith: (budget, text, part = null) => startsWith(budget, text, part),
  endsWith: (budget, text, part = null) => endsWith(budget, text, part),
  charAt: (budget, text, index = null) => charAt(budget, text, index),
  indexOf: (budget, text, part = null, from = 0) => indexOf(budget, text, part, from),
  lastIndexOf: (budget, text, part = null, from?) => lastIndexOf(budget, text, part, from),
  join: (budget, list, separator = '') => join(budget, list, separator),
  lowerAscii,
  upperAscii,
  replace,
  split: (budget, text, separator = null, parts?) => split(budget, text, separator, parts),
  substring: (budget, text, from = null, to?) => substring(budget, text, from, to),
  trim,
  reverse,
  format: (budget, text, list = null) => format(budget, text, list),
  getFullYear: ofTimestamp('getFullYear'),
  getMonth: ofTimestamp('getMonth'),
  getDate: ofTimestamp('getDate'),
  getDayOfMonth: ofTimestamp('getDayOfMonth'),
  getDayOfWeek: ofTimestamp('getDayOfWeek'),
  getDayOfYear: ofTimestamp('getDayOfYear'),
  getHours: ofEither('getHours', 'h'),
  getMinutes: ofEither('getMinutes', 'm'),
  getSeconds: ofEither('getSeconds', 's'),
  getMilliseconds: ofEither('getMilliseconds', 'ms'),
}

function size(budget: Budget, value: Plain): Result {
  if (typeof value === 'string') {
    return spendScan(budget, value.length) ? codePoints(value) : EXHAUSTED
  }
  if (value instanceof Uint8Array || isList(value)) return value.length
  return isMap(value) ? countOf(value, budget) : noOverload('size', value)
}

/** Counting the keys of an object walks over them. */
function countOf(map: Parameters<typeof sizeOf>[0], budget: Budget): Result {
  const count = sizeOf(map)
  return spendKeys(budget, count) ? count : EXHAUSTED
}

/** What CEL calls the size of a text: a surrogate pair is one. */
function codePoints(text: string): number {
  let points = text.length
  for (let i = 0; i + 1 < text.length; i++) {
    if ((text.codePointAt(i) ?? 0) <= 0xffff) continue
    points--
    i++
  }
  return points
}

function ofTimestamp(part: CalendarPart): Implementation {
  return (budget, value, zone) => {
    if (!(value instanceof Timestamp)) return noOverload(part, value)
    if (zone !== undefined && typeof zone !== 'string') return noOverload(part, value, zone)
    return calendarPart(part, value, zone ?? null, budget)
  }
}

function ofEither(part: CalendarPart, unit: 'h' | 'm' | 's' | 'ms'): Implementation {
  const calendar = ofTimestamp(part)
  return (budget, value, ...rest) => {
    if (!(value instanceof Duration)) return calendar(budget, value, ...rest)
    if (rest.length > 0) return noOverload(part, value, ...rest)
    // CEL counts milliseconds within the second, everything else from the start
    const counted = unit === 'ms' ? new Duration(value.nanos % 1_000_000_000n) : value
    return durationIn(counted, unit)
  }
}

export function inCidr(_budget: Budget, ip: Plain, range: Plain = null): Result {
  if (typeof ip !== 'string' || typeof range !== 'string') return noOverload('inCidr', ip, range)
  const address = parseAddress(ip)
  const cidr = parseCidr(range)
  if (address === null) return NO_ADDRESS
  return cidr === null ? NO_RANGE : inRange(address, cidr)
}

/** With a range that is known beforehand. */
export function inLiteralCidr(range: string): Implementation | null {
  const cidr = parseCidr(range)
  if (cidr === null) return null
  return (_budget, ip) => {
    if (typeof ip !== 'string') return noOverload('inCidr', ip, range)
    const address = parseAddress(ip)
    return address === null ? NO_ADDRESS : inRange(address, cidr)
  }
}

/** `scope` of RFC 8693 (one text) or `scp` (a list, or one text): whichever is there. */
export function scopes(claims: Plain): Result {
  if (!isMap(claims)) return noOverload('scopes', claims)
  const found = lookUp(claims, 'scope') ?? lookUp(claims, 'scp') ?? []
  const value = plain(found)
  if (typeof value === 'string') return value.split(' ').filter((scope) => scope !== '')
  return isList(value) ? value.filter((scope) => typeof scope === 'string') : []
}
