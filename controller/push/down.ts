/**
 * The way down to one data plane: lines go out in chunks, and whoever reads too slowly is waited for
 * up to a bound, so that it can never fill the controller's memory.
 * Pinned by test/wire/door.test.ts: "a data plane that stops reading is let go, and costs no memory until then".
 */
import type { Duplex } from 'node:stream'

export interface Down {
  /** Resolves when the stream can take more. Rejects with Gone where it cannot any more. */
  send(lines: Iterable<string>): Promise<void>
  /** `performance.now()` of the last line. */
  readonly sentAtMs: number
}

/** The stream is closed, or its reader does not read. */
export class Gone extends Error {}

/** Large enough to fill a TLS record several times, small enough to hold for each stream. */
const CHUNK_CHARACTERS = 64 * 1024

export function createDown(stream: Duplex, drainWithinMs: number): Down {
  let sentAtMs = performance.now()

  async function write(text: string): Promise<void> {
    sentAtMs = performance.now()
    if (stream.destroyed || stream.writableEnded) throw new Gone('the stream is closed')
    if (!stream.write(text)) await drained(stream, drainWithinMs)
  }

  return {
    get sentAtMs() {
      return sentAtMs
    },
    async send(lines) {
      let chunk = ''
      for (const line of lines) {
        chunk += line
        if (chunk.length < CHUNK_CHARACTERS) continue
        await write(chunk)
        chunk = ''
      }
      if (chunk !== '') await write(chunk)
    },
  }
}

async function drained(stream: Duplex, withinMs: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(() => reject(new Gone('it does not read')), withinMs)
  const closed = (): void => reject(new Gone('the stream is closed'))
  stream.once('drain', resolve)
  stream.once('close', closed)
  try {
    await promise
  } finally {
    clearTimeout(timer)
    stream.off('drain', resolve)
    stream.off('close', closed)
  }
}
