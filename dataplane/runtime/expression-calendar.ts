/**
 * Parts of a timestamp (`getHours` …), in UTC, at a fixed offset or in a named time zone.
 * Pinned by expression-time.test.ts: "parts of a timestamp are those of its zone".
 */
import { EXHAUSTED, spendSteps, type Budget } from './budget.ts'
import { ExpressionFailure } from './expression-types.ts'
import type { Timestamp } from './expression-values.ts'

export type CalendarPart =
  | 'getFullYear'
  | 'getMonth'
  | 'getDate'
  | 'getDayOfMonth'
  | 'getDayOfWeek'
  | 'getDayOfYear'
  | 'getHours'
  | 'getMinutes'
  | 'getSeconds'
  | 'getMilliseconds'

/** Asking for a zone by name takes some 50 µs; 10,000 steps of it would be half a second. */
const ZONE_STEPS = 200
const NO_ZONE = new ExpressionFailure('there is no such time zone')
const DAY_MS = 86_400_000

/** `zone`: `+01:00`, `Europe/Berlin`; null: UTC. */
export function calendarPart(
  part: CalendarPart,
  timestamp: Timestamp,
  zone: string | null,
  budget: Budget,
): number | ExpressionFailure {
  const ms = timestamp.seconds * 1000 + Math.floor(timestamp.nanos / 1_000_000)
  const local = zone === null ? new Date(ms) : inZone(ms, zone, budget)
  return local instanceof ExpressionFailure ? local : partOf(part, local)
}

/** A date whose UTC parts are the local ones. */
function inZone(ms: number, zone: string, budget: Budget): Date | ExpressionFailure {
  const fixed = /^([+-]?)(\d\d):(\d\d)$/.exec(zone)
  if (fixed !== null) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3])
    return new Date(ms + (fixed[1] === '-' ? -minutes : minutes) * 60_000)
  }
  if (!spendSteps(budget, ZONE_STEPS)) return EXHAUSTED
  try {
    return namedZone(ms, zone)
  } catch {
    return NO_ZONE
  }
}

function namedZone(ms: number, zone: string): Date {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'iso8601',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]))
  const date = new Date(0)
  date.setUTCFullYear(parts.get('year') ?? 0, (parts.get('month') ?? 1) - 1, parts.get('day') ?? 1)
  date.setUTCHours(parts.get('hour') ?? 0, parts.get('minute') ?? 0, parts.get('second') ?? 0)
  date.setUTCMilliseconds(((ms % 1000) + 1000) % 1000)
  return date
}

function partOf(part: CalendarPart, date: Date): number {
  switch (part) {
    case 'getFullYear':
      return date.getUTCFullYear()
    case 'getMonth':
      return date.getUTCMonth()
    case 'getDate':
      return date.getUTCDate()
    case 'getDayOfMonth':
      return date.getUTCDate() - 1
    case 'getDayOfWeek':
      return date.getUTCDay()
    case 'getDayOfYear':
      return dayOfYear(date)
    default:
      return timeOf(part, date)
  }
}

function timeOf(
  part: 'getHours' | 'getMinutes' | 'getSeconds' | 'getMilliseconds',
  date: Date,
): number {
  switch (part) {
    case 'getHours':
      return date.getUTCHours()
    case 'getMinutes':
      return date.getUTCMinutes()
    case 'getSeconds':
      return date.getUTCSeconds()
    case 'getMilliseconds':
      return date.getUTCMilliseconds()
    default:
      return part satisfies never
  }
}

function dayOfYear(date: Date): number {
  const start = new Date(0)
  start.setUTCFullYear(date.getUTCFullYear(), 0, 1)
  return Math.floor((date.getTime() - start.getTime()) / DAY_MS)
}
