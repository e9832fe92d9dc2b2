/**
 * The one clock of durations and deadlines: milliseconds of process.hrtime, which agree in all
 * threads of a process. `performance.now` counts from its thread's start, but is cheaper to read.
 * Pinned by clock.test.ts: "two threads read the same time".
 */

const OFFSET_MS = hrtimeMs() - performance.now()

function hrtimeMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1_000 + nanoseconds / 1e6
}

export function monotonicMs(): number {
  return OFFSET_MS + performance.now()
}

/** Milliseconds since 1970: for logs, never for durations. */
export function wallClockMs(): number {
  return Date.now()
}
