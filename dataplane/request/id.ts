/**
 * Names each exchange: unique over all workers and replicas, sortable by time, and cheap enough to
 * be made for every request. 26 characters of Crockford's base 32: 10 of milliseconds, 8 that are
 * the worker's own, 8 that count.
 * Pinned by id.test.ts: "ids are unique, 26 characters long, and sorted by time".
 */

const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** Two digits for each of 1,024 steps: what changes from one id to the next. */
const LOW = Array.from({ length: 1_024 }, (_, i) => digits(i, 2))

function digits(value: number, length: number): string {
  let text = ''
  let rest = value
  for (let i = 0; i < length; i++) {
    text = `${DIGITS.charAt(rest % 32)}${text}`
    rest = Math.floor(rest / 32)
  }
  return text
}

/**
 * `random`: five bytes of a cryptographic source, drawn once per worker: among a thousand workers
 * two share them once in two million draws, and even then not the count within one millisecond.
 */
export function idSource(random: Uint8Array, wallClockMs: () => number): () => string {
  const own = digits(
    random.slice(0, 5).reduce((sum, byte) => sum * 256 + byte, 0),
    8,
  )
  let timeMs = -1
  let time = ''
  let count = 0
  let high = `${own}${digits(0, 6)}`
  return () => {
    const now = wallClockMs()
    if (now !== timeMs) {
      timeMs = now
      time = digits(now, 10)
    }
    const low = count % 1_024
    if (low === 0) high = `${own}${digits(Math.floor(count / 1_024), 6)}`
    count++
    return `${time}${high}${LOW[low] ?? ''}`
  }
}
