/**
 * Splits a stream of bytes into the lines of the wire and of the files on disk, whatever the chunks
 * are. What follows the last line break is not a line: it was torn off, and is dropped.
 * Pinned by lines.test.ts: "lines do not depend on where chunks end".
 */
const NEWLINE = 0x0a

/** Throws RangeError at a line beyond the bound, instead of filling memory with it. */
export async function* lines(
  stream: AsyncIterable<Uint8Array>,
  bytesMax: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let held: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of stream) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const tail = chunk.subarray(start, end)
      bound(bytes + tail.length, bytesMax)
      yield held.length === 0 ? tail : Buffer.concat([...held, tail])
      held = []
      bytes = 0
      start = end + 1
    }
    if (start === chunk.length) continue
    held.push(chunk.subarray(start))
    bytes += chunk.length - start
    bound(bytes, bytesMax)
  }
}

function bound(bytes: number, bytesMax: number): void {
  if (bytes > bytesMax) throw new RangeError(`a line is longer than ${bytesMax} bytes`)
}
