/**
 * Which of two bases is behind: order, and never a hash, decides what a data plane may run.
 * Pinned by basis.test.ts: "a basis is behind as soon as one type is".
 */
import type { Basis } from './session.ts'

/** How far a controller had read, and how often etcd was restored before that. */
export interface Reached {
  readonly epoch: string
  readonly basis: Basis
}

/**
 * The type in which `offered` is behind `own` (or the epoch), or null where it is behind in none. A
 * higher epoch starts anew. A type that only one of them has says nothing: releases differ in what
 * they watch.
 */
export function behind(offered: Reached, own: Reached): string | null {
  const epochs = compareVersions(offered.epoch, own.epoch)
  if (epochs !== 0) return epochs < 0 ? 'epoch' : null
  for (const [type, version] of Object.entries(own.basis)) {
    const other = offered.basis[type]
    if (other !== undefined && compareVersions(other, version) < 0) return type
  }
  return null
}

/** Decimal strings without leading zeros, of any length. */
export function compareVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length
  if (a === b) return 0
  return a < b ? -1 : 1
}
