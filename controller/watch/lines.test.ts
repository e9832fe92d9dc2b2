/** Promises of lines.ts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lines } from './lines.ts'

async function* chunked(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer> {
  let start = 0
  for (const cut of cuts.toSorted((a, b) => a - b)) {
    const end = Math.min(cut, bytes.length)
    if (end > start) yield bytes.subarray(start, end)
    start = Math.max(start, end)
  }
  yield bytes.subarray(start)
}

test('lines do not depend on where the chunks end', async () => {
  const text = fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { maxLength: 10 })
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(200), { maxLength: 8 }), async (parts, cuts) => {
      const joined = Buffer.from(parts.join('\n'))
      const expected = joined
        .toString('utf8')
        .split('\n')
        .filter((line) => line !== '')
      const seen = await Array.fromAsync(lines(chunked(joined, cuts), 10_000))
      assert.deepEqual(seen, expected)
    }),
  )
})

test('a line beyond the bound ends the stream with an error', async () => {
  const endless = chunked(Buffer.alloc(5000, 'x'), [1000, 2000, 3000])
  await assert.rejects(Array.fromAsync(lines(endless, 1500)), /longer than 1500 bytes/)
})
