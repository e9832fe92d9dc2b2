/**
 * Lines of the wire, cut into chunks at every place.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { lines } from '#wire/lines'

async function* chunks(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let start = 0
  for (let i = 0; start < bytes.length; i += 1) {
    const size = sizes[i % sizes.length] ?? 1
    yield bytes.subarray(start, start + size)
    start += size
  }
}

async function collect(source: AsyncIterable<Uint8Array>, bytesMax: number): Promise<string[]> {
  const seen: string[] = []
  for await (const line of lines(source, bytesMax)) seen.push(Buffer.from(line).toString())
  return seen
}

test('lines do not depend on where chunks end', async () => {
  const texts = fc.array(fc.constantFrom('a', 'bc', '\n', '\n\n', '{"é":1}\n', 'x'.repeat(30)))
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 })
  await fc.assert(
    fc.asyncProperty(texts, sizes, async (parts, cut) => {
      const text = parts.join('')
      const expected = text.split('\n').slice(0, -1)
      assert.deepEqual(await collect(chunks(Buffer.from(text), cut), 10_000), expected)
    }),
  )
})

test('a line beyond the bound ends the stream, finished or not', async () => {
  for (const text of ['12345678901', '12345678901\n', 'a\n12345678901\nb\n']) {
    await assert.rejects(collect(chunks(Buffer.from(text), [4]), 10), RangeError)
  }
  assert.deepEqual(await collect(chunks(Buffer.from('1234567890\n'), [4]), 10), ['1234567890'])
})
