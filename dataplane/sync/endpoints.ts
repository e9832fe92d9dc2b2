/**
 * The endpoints that the workers have, and which of them this stream has brought: versions are
 * comparable within one controller's life only, and both ends compare a hash over what went over
 * one stream.
 * Pinned by apply.test.ts: "of two sets of one backend the newer stays, whatever came first".
 */
import { hash as sha } from 'node:crypto'
import { EMPTY_HASH, endpointsText, xorOf } from '#wire/digest'
import type { EndpointSet } from '#wire/session'

export interface HeldEndpoints {
  readonly sets: ReadonlyMap<string, EndpointSet>
  /** Over what this stream brought. */
  readonly streamHash: string
  /** A new stream: nothing has come over it yet. */
  restart(controller: string): void
  /** Whether this stream has brought the backend's endpoints. */
  brought(backend: string): 'yes' | 'no'
  /** Of these, the ones that the workers do not have yet. */
  news(sets: readonly EndpointSet[]): readonly EndpointSet[]
  accept(sets: readonly EndpointSet[]): void
  /** From disk: they count until a stream brings others. */
  restore(sets: readonly EndpointSet[]): void
  drop(backends: Iterable<string>): void
}

export function createHeldEndpoints(): HeldEndpoints {
  const sets = new Map<string, EndpointSet>()
  /** backend → the controller that its version is a number of */
  const origins = new Map<string, string>()
  /** backend → digest of what this stream brought */
  const digests = new Map<string, string>()
  let controller = ''
  let streamHash = EMPTY_HASH

  function isNews(set: EndpointSet): boolean {
    const last = origins.get(set.backend) === controller ? sets.get(set.backend) : undefined
    return last === undefined || last.version < set.version
  }

  function bring(backend: string, digest: string | undefined): void {
    const last = digests.get(backend)
    streamHash = xorOf([streamHash, last, digest].filter((one) => one !== undefined))
    if (digest === undefined) digests.delete(backend)
    else digests.set(backend, digest)
  }

  return {
    sets,
    get streamHash() {
      return streamHash
    },
    restart(name) {
      controller = name
      digests.clear()
      streamHash = EMPTY_HASH
    },
    brought: (backend) => (digests.has(backend) ? 'yes' : 'no'),
    news: (offered) => offered.filter(isNews),
    accept(offered) {
      for (const set of offered) {
        bring(set.backend, sha('sha256', endpointsText(set), 'hex'))
        if (!isNews(set)) continue
        sets.set(set.backend, set)
        origins.set(set.backend, controller)
      }
    },
    restore(stored) {
      for (const set of stored) sets.set(set.backend, set)
    },
    drop(backends) {
      for (const backend of backends) {
        bring(backend, undefined)
        sets.delete(backend)
        origins.delete(backend)
      }
    },
  }
}
