/**
 * The text of RE2 patterns, looked at before it is compiled: counted repetitions are written out by
 * the compiler, so that 250 bytes can become 46,000 instructions and take 75 ms.
 * Pinned by pattern-text.test.ts: "no pattern compiles to less than its counts say".
 */

/** An escape, a class, or a counted repetition: `{2}`, `{2,}`, `{2,5}`. */
const PART = /\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|\{(\d{1,4})(?:,(\d{0,4}))?\}/gs

/** The sum of the counts: a pattern has at least as many instructions. */
export function countedInstructions(pattern: string): number {
  let sum = 0
  for (const [, least, most] of pattern.matchAll(PART)) {
    sum += Math.max(Number(least ?? 0), Number(most ?? 0))
  }
  return sum
}
