/**
 * From a limit and the value of its key to the words by which its bucket is found. Names first give
 * each limit a key of its own for the hash, so that values need not be told apart by separators.
 * Pinned by bucket-name.test.ts: "different limits and values have different buckets".
 */
import type { CelValue } from '../runtime/expression-types.ts'
import { Double, isList, Uint } from '../runtime/expression-values.ts'
import type { PreparedLimit } from './limiter.ts'
import { type BucketKey, OVERFLOWS } from './shared.ts'
import { createHasher, type Hasher, type HashWords } from './siphash.ts'

/** Bucket of a limit without key, and of all requests that lack theirs where they share one. */
export const WHOLE = ''

export interface BucketNames {
  /** `rate`: position of the rate that counts, so that each has a bucket of its own. */
  key(limit: PreparedLimit, rate: number, value: string): BucketKey
}

export function createBucketNames(secret: readonly number[]): BucketNames {
  const hasher = createHasher()
  const root = Int32Array.from(secret)
  const keys = new WeakMap<PreparedLimit, HashWords[]>()
  return {
    key(limit, rate, value): BucketKey {
      const known = keys.get(limit) ?? []
      if (known.length === 0) keys.set(limit, known)
      const own = known[rate] ?? ownKey(hasher, root, `${limit.bucket}#${rate}`)
      known[rate] = own
      const words = new Int32Array(4)
      hasher.hash(own, value, words)
      return { words: usable(words), overflow: (own[0] ?? 0) & (OVERFLOWS - 1) }
    },
  }
}

function ownKey(hasher: Hasher, root: HashWords, name: string): HashWords {
  const words = new Int32Array(4)
  hasher.hash(root, name, words)
  return words
}

/** No word may be what the tables keep for themselves. */
function usable(words: HashWords): HashWords {
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? 0
    if (word === 0 || word === 1) words[i] = word + 2
  }
  return words
}

/**
 * A value as text, each kind apart; a list of values names one bucket. Null: it is none, as the
 * Consumer of an anonymous caller is.
 */
export function bucketValue(value: CelValue): string | null {
  switch (typeof value) {
    case 'string':
      return value === '' ? null : `s${value}`
    case 'boolean':
    case 'number':
    case 'bigint':
      return `v${value}`
    default:
      return objectValue(value)
  }
}

function objectValue(value: CelValue): string | null {
  if (value instanceof Double || value instanceof Uint) return `v${value.value}`
  if (!isList(value)) return null
  let text = 'l'
  for (const item of value) {
    const one = bucketValue(item)
    if (one === null) return null
    text += `${one.length}:${one}`
  }
  return text
}
