/**
 * Durations, sizes and moments.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { durationMs, momentMs, sizeBytes } from './quantity.ts'

test('durations are sums of numbers with units', () => {
  const cases = {
    '500ms': 500,
    '2s': 2000,
    '1m30s': 90_000,
    '24h': 86_400_000,
    '0s': 0,
    '1h1ms': 3_600_001,
  }
  for (const [text, ms] of Object.entries(cases)) assert.equal(durationMs(text), ms)
  for (const text of ['', '1', 's', '1.5s', '-1s', '1d', '1s ', '123456s', '1s1s1s1s1s']) {
    assert.equal(durationMs(text), null, text)
  }
})

function part(unit: string): fc.Arbitrary<string> {
  return fc.nat(99_999).map((n) => `${n}${unit}`)
}

test('a printed duration reads as what it was', () => {
  const ms = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }
  fc.assert(
    fc.property(fc.tuple(part('h'), part('m'), part('s'), part('ms')), (parts) => {
      const sum = Object.values(ms).reduce(
        (a, f, i) => a + f * Number.parseInt(parts[i] ?? '', 10),
        0,
      )
      assert.equal(durationMs(parts.join('')), sum)
    }),
  )
})

test('sizes are bytes, decimal or binary', () => {
  const cases = { '64Ki': 65_536, '10Mi': 10_485_760, '1k': 1000, '2G': 2e9, '0': 0, '7': 7 }
  for (const [text, bytes] of Object.entries(cases)) assert.equal(sizeBytes(text), bytes)
  assert.equal(sizeBytes(1024), 1024)
  for (const size of ['', '1.5Mi', '-1', '1Ti', '1 Ki', 1.5, -1, '999999999999Gi']) {
    assert.equal(sizeBytes(size), null, String(size))
  }
})

test('a moment is what the clock of the platform says it is', () => {
  const moment = fc.date({
    min: new Date('0000-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59Z'),
    noInvalidDate: true,
  })
  fc.assert(
    fc.property(moment, (date) => assert.equal(momentMs(date.toISOString()), date.getTime())),
    { numRuns: 2000 },
  )
  for (const text of [
    '2026-01-01T00:00:00Z',
    '2024-02-29T23:59:59.123456789+05:30',
    '2026-07-01T10:00:00-11:15',
  ]) {
    assert.equal(momentMs(text), Date.parse(text.replace('456789', '')))
  }
})

test('a day that does not exist is no moment', () => {
  for (const day of [
    '2026-02-29',
    '2026-04-31',
    '2026-13-01',
    '2026-00-01',
    '2026-01-00',
    '1900-02-29',
  ]) {
    assert.equal(momentMs(`${day}T00:00:00Z`), null, day)
  }
  for (const text of ['2026-01-01', '2026-01-01T24:00:00Z', '2026-01-01T00:60:00Z', 'now']) {
    assert.equal(momentMs(text), null, text)
  }
})
