/**
 * The endpoints of every backend that some table names, on a lane of their own: they follow each
 * change of a slice and never wait for a compile.
 * Pinned by endpoints.test.ts: "a backend's version grows exactly when its endpoints change".
 */
import { backendName, endpointsOfEach } from '../compile/endpoints.ts'
import type { EndpointReads } from '../compile/endpoints.ts'
import type { Namespaced } from '../compile/snapshot.ts'
import type { Endpoint, EndpointSet } from '#wire/session'
import { endpointsDigest } from './encode.ts'

/** A set with what both ends hash of it, made once for all streams. */
export interface DigestedSet {
  readonly set: EndpointSet
  readonly digest: string
}

export interface EndpointLane {
  /** Backends whose endpoints changed. */
  update(reads: EndpointReads): readonly string[]
  /**
   * Tables name these from now on: their endpoints are known when this returns. Returns those that
   * were not known: a stream may still have older ones, where a backend went and came back.
   */
  want(keys: Iterable<string>): readonly string[]
  /** No table names these any more. */
  forget(keys: Iterable<string>): void
  get(key: string): DigestedSet | undefined
}

/** What stands in for a backend without any endpoints (a folder's samples); null: nothing. */
export type StandIn = (key: string) => readonly Endpoint[] | null

export function createEndpointLane(standIn: StandIn): EndpointLane {
  const sets = new Map<string, DigestedSet>()
  /** namespace → backends of it that tables name */
  const wanted = new Map<string, Set<string>>()
  let reads: EndpointReads = { kinds: { Service: new Map(), EndpointSlice: new Map() } }
  let version = 0

  function refresh(keys: Iterable<string>): string[] {
    const changed: string[] = []
    for (const [key, found] of endpointsOfEach(keys, reads)) {
      const endpoints = found.length === 0 ? (standIn(key) ?? found) : found
      const known = sets.get(key)
      if (known !== undefined && same(known.set.endpoints, endpoints)) continue
      version += 1 // of the whole lane: a backend that comes back never gets a number twice
      const set = { backend: key, version, endpoints }
      sets.set(key, { set, digest: endpointsDigest(set) })
      changed.push(key)
    }
    return changed
  }

  return {
    update(newer) {
      const touched = touchedNamespaces(reads, newer)
      reads = newer
      return refresh(touched.flatMap((namespace) => [...(wanted.get(namespace) ?? [])]))
    },
    want(keys) {
      const fresh = [...keys].filter((key) => !sets.has(key))
      for (const key of fresh) {
        const { namespace } = backendName(key)
        const known = wanted.get(namespace)
        if (known === undefined) wanted.set(namespace, new Set([key]))
        else known.add(key)
      }
      return refresh(fresh)
    },
    forget(keys) {
      for (const key of keys) {
        sets.delete(key)
        wanted.get(backendName(key).namespace)?.delete(key)
      }
    },
    get: (key) => sets.get(key),
  }
}

/** Inner maps keep their identity while nothing in them changes. */
function touchedNamespaces(from: EndpointReads, to: EndpointReads): readonly string[] {
  const touched = new Set<string>()
  for (const kind of ['Service', 'EndpointSlice'] as const) {
    for (const namespace of differing(from.kinds[kind], to.kinds[kind])) touched.add(namespace)
  }
  return [...touched]
}

function* differing(from: Namespaced, to: Namespaced): Generator<string> {
  if (from === to) return
  for (const [namespace, objects] of to) if (from.get(namespace) !== objects) yield namespace
  for (const namespace of from.keys()) if (!to.has(namespace)) yield namespace
}

function same(a: readonly Endpoint[], b: readonly Endpoint[]): boolean {
  if (a.length !== b.length) return false
  return a.every((endpoint, i) => {
    const other = b[i]
    return (
      endpoint.address === other?.address &&
      endpoint.port === other.port &&
      endpoint.zone === other.zone
    )
  })
}
