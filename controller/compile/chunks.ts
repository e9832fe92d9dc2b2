/**
 * Long lists of keys in pieces, so that a key that comes or goes touches its own piece alone: whatever
 * is asked for all of them is asked piece by piece. The piece follows from the key, never from its
 * place in the list.
 * Pinned by chunks.test.ts: "a key that comes or goes changes one piece".
 */

export type Chunks = readonly (readonly string[])[]

/** As many keys as can be looked through without being noticed, and as few lists as can be kept. */
const CHUNK_SIZE = 64

export function chunksOf(keys: readonly string[]): Chunks {
  const size = bucketsFor(keys.length)
  const buckets = Array.from({ length: size }, (): string[] => [])
  for (const key of keys) buckets[hashOf(key) % size]?.push(key)
  return buckets
}

/** A power of two, so that a list that grows is seldom cut anew. */
function bucketsFor(length: number): number {
  let buckets = 1
  while (buckets * CHUNK_SIZE < length) buckets *= 2
  return buckets
}

/** FNV-1a over UTF-16 code units. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  }
  return hash >>> 0
}

/** Pieces that hold the same keys keep their identity. */
export function keepChunks(before: Chunks, after: Chunks): Chunks {
  const kept = after.map((chunk, i) => {
    const earlier = before[i]
    return earlier !== undefined && sameItems(earlier, chunk) ? earlier : chunk
  })
  return sameItems(before, kept) ? before : kept
}

export function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i])
}
