/**
 * Where the lines of the access log go: the standard output of the process, which the main thread
 * alone writes, for all workers.
 * Proved by main.test.ts.
 */
import { pino } from 'pino'
import type { Metrics } from './metrics.ts'

/** Of the access log, while nobody reads our output; beyond it lines are dropped and counted. */
const LOG_BYTES_MAX = 16 * 1024 * 1024
/** Written at once; between them lines wait at most for the next batch of a worker. */
const LOG_BYTES_MIN = 8 * 1024

/** What a reader has, at the end, for the last lines. */
const LAST_LINES_MS = 1_000

export interface AccessLog {
  write(lines: Uint8Array<ArrayBuffer>): void
  /** stuck: nobody reads what was written, and the ordinary end of the process would wait for it. */
  close(): Promise<'written' | 'stuck'>
}

export const NO_LOG: AccessLog = {
  write: () => undefined,
  close: () => Promise.resolve('written'),
}

/** Never blocks: what cannot be written waits, and beyond a bound it is dropped and counted. */
export function openStdout(metrics: Pick<Metrics, 'logLinesDropped'>): AccessLog {
  const destination = pino.destination({
    dest: 1,
    sync: false,
    minLength: LOG_BYTES_MIN,
    maxLength: LOG_BYTES_MAX,
    periodicFlush: 100,
  })
  destination.on('drop', (lines: unknown) => {
    metrics.logLinesDropped(String(lines).split('\n').length - 1)
  })
  // Nobody reads any more: serving goes on.
  destination.on('error', () => undefined)
  return {
    // Lines are ASCII: text of one byte for each character, which costs next to nothing.
    write: (lines) =>
      void destination.write(Buffer.from(lines.buffer).toString('latin1', 0, lines.length)),
    close: () =>
      new Promise((done) => {
        const late = setTimeout(() => done('stuck'), LAST_LINES_MS)
        destination.flush(() => {
          clearTimeout(late)
          done('written')
        })
      }),
  }
}
