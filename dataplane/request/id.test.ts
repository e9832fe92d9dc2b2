/**
 * Names of exchanges.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { idSource } from './id.ts'

test('ids are unique, 26 characters long, and sorted by time', () => {
  let now = 1_760_000_000_000
  const workers = [idSource(randomBytes(5), () => now), idSource(randomBytes(5), () => now)]
  const seen = new Set<string>()
  let last = ''
  for (let i = 0; i < 50_000; i++) {
    if (i % 1_000 === 0) now++
    for (const next of workers) {
      const id = next()
      assert.match(id, /^[0-9A-HJKMNP-TV-Z]{26}$/)
      seen.add(id)
    }
    const id = workers[0]?.() ?? ''
    assert.ok(id > last, `${id} comes after ${last}`)
    last = id
    seen.add(id)
  }
  assert.equal(seen.size, 150_000)
})

test('a clock that goes back gives no id twice', () => {
  let now = 5_000
  const next = idSource(randomBytes(5), () => now)
  const before = next()
  now = 4_000
  next()
  now = 5_000
  assert.notEqual(next(), before)
})

test('the time can be read from an id', () => {
  const id = idSource(Buffer.alloc(5), () => 1_760_000_000_123)()
  const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
  const ms = Array.from(id.slice(0, 10)).reduce((sum, c) => sum * 32 + digits.indexOf(c), 0)
  assert.equal(ms, 1_760_000_000_123)
})
