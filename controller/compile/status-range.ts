/**
 * Statuses that a call expects, as inclusive ranges: `2xx`, `404`, `200-204`.
 * Pinned by status-range.test.ts: "numbers, classes and ranges are read, everything else is not".
 */

export interface StatusRange {
  readonly from: number
  readonly to: number
}

/** Null: it is no status, class or range, or the range runs backwards. */
export function statusRange(written: number | string): StatusRange | null {
  const text = String(written)
  if (/^[1-5]xx$/.test(text)) {
    const from = Number(text.charAt(0)) * 100
    return { from, to: from + 99 }
  }
  const [, first, last] = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(text) ?? []
  if (first === undefined) return null
  const from = Number(first)
  const to = Number(last ?? first)
  return from <= to ? { from, to } : null
}

export const SUCCESS: StatusRange = { from: 200, to: 299 }
