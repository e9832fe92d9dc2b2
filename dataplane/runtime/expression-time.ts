/**
 * Timestamps and durations: reading and writing RFC 3339 and Go's durations, their sums and
 * differences. Nanoseconds are exact, ranges are those of CEL.
 * Pinned by expression-time.test.ts: "a timestamp reads back as it was written".
 */
import { ExpressionFailure, type CelValue } from './expression-types.ts'
import { Duration, intOf, Timestamp, type Plain } from './expression-values.ts'

const NANOS = 1_000_000_000n
/** 0001-01-01 and 9999-12-31, the range of google.protobuf.Timestamp. */
const SECONDS_MIN = -62_135_596_800n
const SECONDS_MAX = 253_402_300_799n

const NO_TIMESTAMP = new ExpressionFailure('a timestamp is out of range or not RFC 3339')
const NO_DURATION = new ExpressionFailure('a duration is out of range or not like 1h30m, 2s, 500ms')

export function timestampOf(nanos: bigint): Timestamp | ExpressionFailure {
  const rest = ((nanos % NANOS) + NANOS) % NANOS
  const seconds = (nanos - rest) / NANOS
  if (seconds < SECONDS_MIN || seconds > SECONDS_MAX) return NO_TIMESTAMP
  return new Timestamp(Number(seconds), Number(rest))
}

export function timestampOfMs(ms: number): Timestamp {
  const seconds = Math.floor(ms / 1000)
  return new Timestamp(seconds, Math.floor((ms - seconds * 1000) * 1_000_000))
}

export function nanosOf(timestamp: Timestamp): bigint {
  return BigInt(timestamp.seconds) * NANOS + BigInt(timestamp.nanos)
}

export function durationOf(nanos: bigint): Duration | ExpressionFailure {
  return BigInt.asIntN(64, nanos) === nanos ? new Duration(nanos) : NO_DURATION
}

/** Null: these are no times. */
export function addTimes(left: Plain, right: Plain): CelValue | ExpressionFailure | null {
  if (left instanceof Duration) {
    if (right instanceof Duration) return durationOf(left.nanos + right.nanos)
    return right instanceof Timestamp ? timestampOf(left.nanos + nanosOf(right)) : null
  }
  if (!(left instanceof Timestamp) || !(right instanceof Duration)) return null
  return timestampOf(nanosOf(left) + right.nanos)
}

export function subtractTimes(left: Plain, right: Plain): CelValue | ExpressionFailure | null {
  if (left instanceof Duration && right instanceof Duration) {
    return durationOf(left.nanos - right.nanos)
  }
  if (!(left instanceof Timestamp)) return null
  if (right instanceof Timestamp) return durationOf(nanosOf(left) - nanosOf(right))
  return right instanceof Duration ? timestampOf(nanosOf(left) - right.nanos) : null
}

const RFC_3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/

export function parseTimestamp(text: string): Timestamp | ExpressionFailure {
  const parts = RFC_3339.exec(text)
  if (parts === null) return NO_TIMESTAMP
  const seconds = utcSeconds(parts.slice(1, 7).map(Number))
  const offset = offsetSeconds(parts[8], parts[9], parts[10])
  if (seconds === null || offset === null) return NO_TIMESTAMP
  const nanos = BigInt((parts[7] ?? '').padEnd(9, '0'))
  return timestampOf(BigInt(seconds - offset) * NANOS + nanos)
}

/** Null: there is no such moment. A date that does not exist would come out as another one. */
function utcSeconds(parts: readonly number[]): number | null {
  const at = (index: number): number => parts[index] ?? 0
  const [month, day] = [at(1) - 1, at(2)]
  if (at(3) > 23 || at(4) > 59 || at(5) > 59) return null
  const date = new Date(0)
  date.setUTCFullYear(at(0), month, day)
  date.setUTCHours(at(3), at(4), at(5))
  const same = date.getUTCMonth() === month && date.getUTCDate() === day
  return same ? date.getTime() / 1000 : null
}

function offsetSeconds(sign = '+', hours = '00', minutes = '00'): number | null {
  if (Number(hours) > 23 || Number(minutes) > 59) return null
  const seconds = Number(hours) * 3600 + Number(minutes) * 60
  return sign === '-' ? -seconds : seconds
}

export function timestampText(timestamp: Timestamp): string {
  const text = new Date(timestamp.seconds * 1000).toISOString().slice(0, 19)
  return `${text}${fractionText(BigInt(timestamp.nanos))}Z`
}

/** Three, six or nine digits, as protobuf's JSON has them; nothing for whole seconds. */
function fractionText(nanos: bigint): string {
  if (nanos === 0n) return ''
  const digits = nanos.toString().padStart(9, '0')
  return `.${digits.replace(/(?:000){1,2}$/, '')}`
}

export function durationText(duration: Duration): string {
  const nanos = duration.nanos < 0n ? -duration.nanos : duration.nanos
  const sign = duration.nanos < 0n ? '-' : ''
  return `${sign}${nanos / NANOS}${fractionText(nanos % NANOS)}s`
}

const UNITS: { readonly [unit: string]: bigint } = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: NANOS,
  m: 60n * NANOS,
  h: 3600n * NANOS,
}
const DURATION = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/
/** Enough for every unit with all its digits. */
const DURATION_LENGTH_MAX = 128

export function parseDuration(text: string): Duration | ExpressionFailure {
  if (/^[+-]?0$/.test(text)) return new Duration(0n)
  const whole = text.length > DURATION_LENGTH_MAX ? null : DURATION.exec(text)
  if (whole === null) return NO_DURATION
  const nanos = sumOf(whole[2] ?? '')
  return durationOf(whole[1] === '-' ? -nanos : nanos)
}

function sumOf(parts: string): bigint {
  let nanos = 0n
  for (const part of parts.matchAll(/(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g)) {
    const [, integer = '', fraction = '', unit = ''] = part
    const factor = UNITS[unit] ?? 0n
    nanos += BigInt(integer) * factor
    nanos += (BigInt(fraction) * factor) / 10n ** BigInt(fraction.length)
  }
  return nanos
}

/** Whole units, towards zero. */
export function durationIn(duration: Duration, unit: 'h' | 'm' | 's' | 'ms'): number | bigint {
  return intOf(duration.nanos / (UNITS[unit] ?? 1n))
}
