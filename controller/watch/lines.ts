/**
 * Splits a stream of bytes into lines of UTF-8, whatever the chunks are. A line beyond the bound
 * ends the stream with an error instead of filling memory.
 * Pinned by lines.test.ts: "lines do not depend on where the chunks end".
 */
const NEWLINE = 0x0a

export async function* lines(
  stream: AsyncIterable<Buffer | string>,
  bytesMax: number,
): AsyncGenerator<string> {
  let parts: Buffer[] = []
  let held = 0
  for await (const chunk of stream) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    let start = 0
    for (;;) {
      const end = bytes.indexOf(NEWLINE, start)
      if (end === -1) break
      const line = Buffer.concat([...parts, bytes.subarray(start, end)]).toString('utf8')
      parts = []
      held = 0
      start = end + 1
      if (line !== '') yield line
    }
    if (start < bytes.length) {
      parts.push(bytes.subarray(start))
      held += bytes.length - start
    }
    if (held > bytesMax) throw new RangeError(`a line is longer than ${bytesMax} bytes`)
  }
  if (held > 0) yield Buffer.concat(parts).toString('utf8')
}
