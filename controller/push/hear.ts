/**
 * The leader's end of a stream from another controller: what it tells is taken until the stream ends.
 * Pinned by test/wire/replicas.test.ts: "what a controller knows of its data planes, the leader knows".
 */
import type { Duplex } from 'node:stream'
import { lines } from '#wire/lines'
import type { Logger } from '../log.ts'
import { decodeReport, REPORT_BYTES_MAX } from './report.ts'
import type { Replicas, Told } from './replicas.ts'

export interface Hearing {
  readonly replicas: Replicas
  /** The stream is closed after this: with the token, or sooner. */
  readonly lifeMs: number
  readonly log: Logger
}

/** Resolves when the stream is over; never rejects. */
export async function hear(stream: Duplex, { replicas, lifeMs, log }: Hearing): Promise<void> {
  const timer = setTimeout(() => stream.destroy(), lifeMs)
  let told: Told | null = null
  try {
    for await (const line of lines(bytesOf(stream), REPORT_BYTES_MAX)) {
      told = take(line, told, replicas)
    }
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error)
    log.warn({}, `a controller tells no more of its data planes: ${because}`)
  } finally {
    clearTimeout(timer)
    told?.end()
  }
}

function take(line: Uint8Array, told: Told | null, replicas: Replicas): Told {
  const decoded = decodeReport(line)
  if (decoded.kind === 'refused') throw new Error(`it sent a frame that ${decoded.because}`)
  const { frame } = decoded
  if (frame.type === 'hello') {
    if (told !== null) throw new Error('it said hello twice')
    return replicas.begin(frame.replica)
  }
  if (told === null) throw new Error('it did not say hello')
  told.take(frame)
  return told
}

function bytesOf(stream: Duplex): AsyncIterable<Uint8Array> {
  return stream
}
