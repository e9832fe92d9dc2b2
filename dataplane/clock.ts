/**
 * The one clock of durations and deadlines: milliseconds of process.hrtime, which agree in all
 * threads of a process. `performance.now` counts from its thread's start, but is cheaper to read.
 * Pinned by clock.test.ts: "two threads read the same time".
 */

const OFFSET_MS = offsetMs()

/** Of several readings the one that took least: in between a thread may have to wait. */
function offsetMs(): number {
  let best = { tookMs: Number.POSITIVE_INFINITY, offset: 0 }
  for (let i = 0; i < 5; i++) {
    const before = performance.now()
    const [seconds, nanoseconds] = process.hrtime()
    const after = performance.now()
    const offset = seconds * 1_000 + nanoseconds / 1e6 - (before + after) / 2
    if (after - before < best.tookMs) best = { tookMs: after - before, offset }
  }
  return best.offset
}

export function monotonicMs(): number {
  return OFFSET_MS + performance.now()
}

/** Milliseconds since 1970: for logs, never for durations. */
export function wallClockMs(): number {
  return Date.now()
}
