/**
 * Times: text and back, and the parts of a moment in a zone, beside JavaScript's own reading.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createBudget } from './budget.ts'
import { calendarPart } from './expression-calendar.ts'
import {
  addTimes,
  durationText,
  parseDuration,
  parseTimestamp,
  subtractTimes,
  timestampText,
} from './expression-time.ts'
import { isFailure } from './expression-types.ts'
import { Duration, Timestamp } from './expression-values.ts'

const timestamp = fc
  .tuple(fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }), fc.nat(999_999_999))
  .map(([seconds, nanos]) => new Timestamp(seconds, nanos))
const duration = fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }).map((n) => new Duration(n))

test('a timestamp reads back as it was written', () => {
  fc.assert(
    fc.property(timestamp, (time) => {
      const text = timestampText(time)
      assert.deepEqual(parseTimestamp(text), time)
      assert.equal(Date.parse(text), time.seconds * 1000 + Math.floor(time.nanos / 1e6))
    }),
  )
  const same = ['2026-01-02T03:04:05+01:00', '2026-01-02t02:04:05z', '2026-01-01T21:34:05-04:30']
  for (const text of same) {
    const time = parseTimestamp(text)
    assert.ok(time instanceof Timestamp && timestampText(time) === '2026-01-02T02:04:05Z', text)
  }
})

test('a moment that does not exist is none', () => {
  const wrong = [
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:00:60Z',
    '2026-01-01T00:00:00',
    '2026-01-01 00:00:00Z',
    '0000-01-01T00:00:00Z',
    '9999-12-31T23:59:59-01:00',
    '2026-01-01T00:00:00.1234567890Z',
    '',
  ]
  for (const text of wrong) assert.ok(isFailure(parseTimestamp(text)), text)
})

test('a duration reads back as it was written', () => {
  fc.assert(
    fc.property(duration, (span) => {
      assert.deepEqual(parseDuration(durationText(span)), span)
    }),
  )
  assert.deepEqual(parseDuration('1h30m'), new Duration(5_400_000_000_000n))
  assert.deepEqual(parseDuration('-1.5ms'), new Duration(-1_500_000n))
  assert.deepEqual(parseDuration('.5us'), new Duration(500n))
  assert.deepEqual(parseDuration('0'), new Duration(0n))
  for (const text of ['', '1', 's', '1 s', '1d', '1h-1m', `${'9'.repeat(130)}s`, '3000000h']) {
    assert.ok(isFailure(parseDuration(text)), text)
  }
})

test('a difference added again gives the same moment', () => {
  fc.assert(
    fc.property(timestamp, duration, (time, span) => {
      const sum = addTimes(time, span)
      if (isFailure(sum) || !(sum instanceof Timestamp)) return
      assert.deepEqual(subtractTimes(sum, span), time)
    }),
  )
})

test('parts of a timestamp are those of its zone', () => {
  const budget = createBudget()
  const moment = fc.integer({ min: -30_000_000_000, max: 30_000_000_000 })
  fc.assert(
    fc.property(moment, fc.integer({ min: -1439, max: 1439 }), (seconds, minutes) => {
      const time = new Timestamp(seconds, 5_000_000)
      const away = Math.abs(minutes)
      const zone = `${minutes < 0 ? '-' : '+'}${pad(Math.floor(away / 60))}:${pad(away % 60)}`
      const local = new Date((seconds + minutes * 60) * 1000)
      assert.equal(calendarPart('getFullYear', time, zone, budget), local.getUTCFullYear())
      assert.equal(calendarPart('getHours', time, zone, budget), local.getUTCHours())
      assert.equal(calendarPart('getDayOfWeek', time, zone, budget), local.getUTCDay())
      assert.equal(calendarPart('getMilliseconds', time, zone, budget), 5)
    }),
  )
  const summer = new Timestamp(Date.parse('2026-07-01T22:30:00Z') / 1000, 0)
  assert.equal(calendarPart('getHours', summer, 'Europe/Berlin', budget), 0)
  assert.equal(calendarPart('getDate', summer, 'Europe/Berlin', budget), 2)
  assert.equal(calendarPart('getDayOfYear', summer, null, budget), 181)
  assert.ok(isFailure(calendarPart('getHours', summer, 'Nowhere/Else', budget)))
})

function pad(value: number): string {
  return String(value).padStart(2, '0')
}
