/**
 * Proves that pieces of any size come out whole, and that small ones come out together.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Gathering, Pages } from './pages.ts'

test('whatever the pieces, the bytes are the same and the buffers are few', () => {
  const size = fc.oneof(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 6_000 }))
  fc.assert(
    fc.property(fc.array(size, { maxLength: 200 }), (sizes) => {
      const pieces = sizes.map((length, i) => Buffer.alloc(length, i))
      const pages = new Pages()
      const out = pieces.flatMap((piece) => pages.add(piece))
      const rest = pages.take()
      if (rest !== null) out.push(rest)
      assert.equal(pages.take(), null)
      assert.ok(Buffer.concat(out).equals(Buffer.concat(pieces)))
      const large = sizes.filter((length) => length > 1024).length
      const bytes = sizes.reduce((sum, length) => sum + length, 0)
      assert.ok(out.length <= 2 * large + bytes / 3_000 + 1, `${out.length} buffers`)
    }),
  )
})

test('what is gathered is handed on once, in order, when full, asked for, or a turn later', async () => {
  const pages: Buffer[] = []
  const gathering = new Gathering((page) => void pages.push(page))
  const text = (): string => Buffer.concat(pages).toString()
  gathering.add(Buffer.from('ab'))
  gathering.add(Buffer.from('c'))
  assert.deepEqual([text(), gathering.bytes], ['', 3])
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual([text(), gathering.bytes], ['abc', 0])
  gathering.add(Buffer.from('d'))
  gathering.flush()
  gathering.add(Buffer.alloc(2_000, 'e'))
  assert.equal(text(), `abcd${'e'.repeat(2_000)}`)
  gathering.add(Buffer.from('lost'))
  gathering.drop()
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual([pages.length, gathering.bytes], [3, 0])
})
