/**
 * How many connections a worker may have, so that descriptors never run out: whoever is one too many
 * is refused and counted, while the upstream side, files and the probe port still get theirs.
 * Pinned by descriptors.test.ts: "connections leave descriptors for everything else".
 */
import { readFileSync } from 'node:fs'

/** As much as a worker can use: an idle connection takes 10 KiB. */
const CONNECTIONS_MAX = 16_384

/** Of the process, and of each of its threads: files, timers, wake-ups, listeners. */
const OTHERS_OF_PROCESS = 64
const OTHERS_OF_THREAD = 16

/** Each connection may need another one, to a backend. */
export function connectionsMax(descriptors: number, workers: number): number {
  const free = descriptors - OTHERS_OF_PROCESS - OTHERS_OF_THREAD * workers
  return Math.max(1, Math.min(CONNECTIONS_MAX, Math.floor(free / 2 / workers)))
}

/** Of this process. Infinity where the system does not tell. */
export function descriptorLimit(read: () => string = processLimits): number {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(read())?.[1]
    return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

function processLimits(): string {
  return readFileSync('/proc/self/limits', 'latin1')
}
