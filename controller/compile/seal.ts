/**
 * Values become objects of a table here, each with its digest: made once, when the value is, and
 * shared by every table that holds it. Nothing that has not changed is serialised again.
 * Pinned by seal.test.ts: "an object's digest is what the wire says it is".
 */
import { digestText } from '#wire/digest'
import { base64Bytes, putBytes } from '#wire/size'
import { objectId, type TableObject } from '#wire/table'
import type { Source } from '#wire/value'
import { sameItems } from './chunks.ts'
import type { CompiledObject, Deps, SealedSecret } from './compiled.ts'
import type { Resource, SecretBytes } from './snapshot.ts'

type WithoutDigest<T> = T extends unknown ? Omit<T, 'digest'> : never
export type Unsealed = WithoutDigest<Exclude<TableObject, { kind: 'secret' }>>

export interface Sealed {
  readonly id: string
  readonly object: CompiledObject
  /** The digest as eight words, so that a table's hash is a few XORs. */
  readonly words: readonly number[]
  /** On the wire. */
  readonly bytes: number
}

export interface Sealer {
  seal(object: Unsealed): Sealed
  readonly certificate: Deps['certificate']
  sealSecret(key: string, sources: readonly Source[], value: SecretBytes): Sealed
}

export function createSealer(deps: Deps): Sealer {
  return {
    certificate: (chain, key) => deps.certificate(chain, key),
    seal(object) {
      const text = digestText(object)
      return named({ ...object, digest: deps.sha256(text) }, putBytes(text))
    },
    sealSecret(key, sources, value) {
      const digest = deps.fingerprint(value, key, sources)
      const empty = digestText({ kind: 'secret', key, sources, value: { base64: '' } })
      const bytes = putBytes(empty) + base64Bytes(value.size)
      return named({ kind: 'secret', key, sources, value, digest } satisfies SealedSecret, bytes)
    },
  }
}

function named(object: CompiledObject, bytes: number): Sealed {
  return { id: objectId(object.kind, object.key), object, words: wordsOf(object.digest), bytes }
}

/** As signed integers, which take the least memory. */
function wordsOf(digest: string): readonly number[] {
  return Array.from(
    { length: 8 },
    (_, i) => Number.parseInt(digest.slice(i * 8, i * 8 + 8), 16) | 0,
  )
}

/** The same object again: the earlier keeps its identity, and nobody need look at it. */
export function keepSealed(before: Sealed | null, after: Sealed | null): Sealed | null {
  return sameSealed(before, after) ? before : after
}

function sameSealed(a: Sealed | null, b: Sealed | null): boolean {
  return a?.id === b?.id && a?.object.digest === b?.object.digest
}

/** Likewise for each of a list, in any order. */
export function keepEach(before: readonly Sealed[], after: readonly Sealed[]): readonly Sealed[] {
  const known = new Map(before.map((sealed) => [sealed.id, sealed]))
  const kept = after.map((sealed) => {
    const earlier = known.get(sealed.id) ?? null
    return sameSealed(earlier, sealed) && earlier !== null ? earlier : sealed
  })
  return sameItems(before, kept) ? before : kept
}

/** `generation` where what runs is not the newest. */
export function sourceOf(resource: Resource, generation = resource.generation): Source {
  const { kind, namespace, uid } = resource
  return { kind, name: `${namespace}/${resource.name}`, uid, generation }
}

/** The XOR of the digests that were added, as in `#wire/digest`, on words. */
export class HashSum {
  readonly #words = new Uint32Array(8)

  add(words: readonly number[]): void {
    const sum = this.#words
    for (let i = 0; i < sum.length; i += 1) sum[i] = (sum[i] ?? 0) ^ (words[i] ?? 0)
  }

  hex(): string {
    return Array.from(this.#words, (word) => word.toString(16).padStart(8, '0')).join('')
  }
}
