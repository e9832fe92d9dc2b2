/**
 * Proves that pieces of any size come out whole, and that small ones come out together.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Pages } from './pages.ts'

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
