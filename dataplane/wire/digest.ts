/**
 * What digests are made over, and how they become one hash: both ends of the wire follow it, so
 * that each can tell whether they hold the same. The SHA-256 itself is theirs: the contract knows
 * no node module.
 * Pinned by digest.test.ts: "a hash follows from digests in any order, and from changes alone".
 */
import type { EndpointSet } from './session.ts'
import type { TableObject } from './table.ts'

/** The digest of an object is the SHA-256 of this text, in lower-case hex. */
export function digestText(object: Omit<TableObject, 'digest'>): string {
  return JSON.stringify([object.kind, object.key, object.sources, object.value])
}

/** Likewise for a backend's endpoints: versions count within one stream, so they are in it. */
export function endpointsText(set: EndpointSet): string {
  return JSON.stringify([set.backend, set.version, set.endpoints])
}

/** The XOR of SHA-256 digests in hex: to add one or to take it away is the same. */
export function xorOf(digests: Iterable<string>): string {
  const words = new Uint32Array(8)
  for (const digest of digests) {
    for (let i = 0; i < 8; i += 1) {
      words[i] = (words[i] ?? 0) ^ Number.parseInt(digest.slice(i * 8, i * 8 + 8), 16)
    }
  }
  return Array.from(words, (word) => word.toString(16).padStart(8, '0')).join('')
}

/** Of no object at all. */
export const EMPTY_HASH = '0'.repeat(64)
