/**
 * The word that somebody probably meant: the end of the sentences about unknown names.
 * Pinned by nearest.test.ts: "a slip is found, another word is not".
 */

const LENGTH_MAX = 64

/** Null where nothing is near enough to be worth saying. */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  if (word.length > LENGTH_MAX) return null
  const from = word.toLowerCase()
  let best: string | null = null
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue
    const distance = editDistance(from, candidate.toLowerCase())
    if (distance >= bestDistance) continue
    best = candidate
    bestDistance = distance
  }
  return best
}

/** Insertions, deletions, replacements and swaps of neighbours. */
export function editDistance(from: string, to: string): number {
  let twoAbove: readonly number[] = []
  let above: readonly number[] = Array.from({ length: to.length + 1 }, (_, i) => i)
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = at(above, j - 1) + (from[i - 1] === to[j - 1] ? 0 : 1)
      const swaps = from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      const swapped = i > 1 && j > 1 && swaps ? at(twoAbove, j - 2) + 1 : replaced
      row.push(Math.min(at(above, j) + 1, at(row, j - 1) + 1, replaced, swapped))
    }
    twoAbove = above
    above = row
  }
  return at(above, to.length)
}

function at(row: readonly number[], i: number): number {
  return row[i] ?? 0
}
