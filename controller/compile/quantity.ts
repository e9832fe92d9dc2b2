/**
 * Texts with units, as numbers: `1m30s` in milliseconds, `10Mi` in bytes, a moment in milliseconds
 * since 1970. The schema has already refused other shapes; what it cannot see (a sum too large, the
 * 30th of February) is null here, and the step that asked says what to write.
 * Pinned by quantity.test.ts: "a printed duration reads as what it was".
 */

import { RATE_COUNT_MAX, RATE_PERIOD_MS_MAX, WAIT_MS_MAX } from '#wire/limits'
import type { Checked, FieldPath } from './problem.ts'

const UNIT_MS = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
])
const DURATION = /^(?:\d{1,5}(?:ms|s|m|h)){1,4}$/

export function durationMs(text: string): number | null {
  if (!DURATION.test(text)) return null
  let sum = 0
  for (const [, digits, unit] of text.matchAll(/(\d+)(ms|s|m|h)/g)) {
    sum += Number(digits) * (UNIT_MS.get(unit ?? '') ?? 0)
  }
  return sum
}

/** A time that a timer can wait. `least`: whether nothing at all makes sense. */
export function waitMs(
  text: string,
  at: FieldPath<string>,
  least: '0s' | '1ms',
): Checked<number | null> {
  const ms = durationMs(text)
  const min = least === '0s' ? 0 : 1
  if (ms !== null && ms >= min && ms <= WAIT_MS_MAX) return { value: ms, problems: [] }
  const sentence = `Write a time between ${least} and ${WAIT_HOURS_MAX}h, such as 2s or 1m30s.`
  return { value: null, problems: [at.problem('Invalid', sentence)] }
}

const WAIT_HOURS_MAX = Math.floor(WAIT_MS_MAX / 3_600_000)

export interface CountPerTime {
  readonly count: number
  readonly periodMs: number
}

/** `60/1m`, within what a limiter can count exactly; null: it is not. */
export function ratePer(text: string): CountPerTime | null {
  const [, digits, period] = /^([1-9]\d{0,9})\/(.+)$/.exec(text) ?? []
  const periodMs = durationMs(period ?? '')
  const count = Number(digits)
  if (digits === undefined || periodMs === null || count > RATE_COUNT_MAX) return null
  return periodMs >= 1 && periodMs <= RATE_PERIOD_MS_MAX ? { count, periodMs } : null
}

/** `5%` as 50. The schema has refused all but shares; parts of a thousandth are rounded up. */
export function perMille(share: string): number {
  return Math.min(1000, Math.ceil(Number.parseFloat(share) * 10))
}

const FACTORS = new Map([
  ['', 1],
  ['k', 1_000],
  ['M', 1_000_000],
  ['G', 1_000_000_000],
  ['Ki', 1024],
  ['Mi', 1024 ** 2],
  ['Gi', 1024 ** 3],
])

export function sizeBytes(size: number | string): number | null {
  const [, digits, unit] = /^(\d{1,12})([kMG]|[KMG]i)?$/.exec(String(size)) ?? []
  const factor = FACTORS.get(unit ?? '')
  if (digits === undefined || factor === undefined) return null
  const bytes = Number(digits) * factor
  return Number.isSafeInteger(bytes) ? bytes : null
}

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/
const CLOCK = /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?$/
const OFFSET = /(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/

/** RFC 3339, by arithmetic alone: compile has no clock and no time zone. */
export function momentMs(text: string): number | null {
  const offset = OFFSET.exec(text)
  if (offset === null || text.charAt(10) !== 'T') return null
  const days = daysSince1970(text.slice(0, 10))
  const clock = CLOCK.exec(text.slice(11, offset.index))
  if (days === null || clock === null) return null
  const minutes = Number(clock[1]) * 60 + Number(clock[2]) + days * 1440
  const ahead = Number(offset[2] ?? 0) * 60 + Number(offset[3] ?? 0)
  const utc = offset[1] === '-' ? minutes + ahead : minutes - ahead
  // By digits: 1.001 * 1000 is less than 1001.
  const fractionMs = Number(`${clock[4] ?? ''}000`.slice(0, 3))
  return utc * 60_000 + Number(clock[3]) * 1000 + fractionMs
}

/** Years are counted from March, so that the leap day is the last of its year. */
function daysSince1970(date: string): number | null {
  const [year, month, day] = (DATE.exec(date) ?? []).slice(1).map(Number)
  if (year === undefined || month === undefined || day === undefined) return null
  if (day < 1 || day > daysIn(year, month)) return null
  const from = month > 2 ? year : year - 1
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  const leaps = Math.floor(from / 4) - Math.floor(from / 100) + Math.floor(from / 400)
  return from * 365 + leaps + dayOfYear - 719_468
}

/** 0 for a month that does not exist. */
function daysIn(year: number, month: number): number {
  if (month < 1 || month > 12) return 0
  if (month === 2) return isLeap(year) ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
}
