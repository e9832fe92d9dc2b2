/**
 * Which endpoints to begin with when a table comes from disk: the stored ones while they are young,
 * else the Service's own address, which leads to whatever pods there are now.
 * Pinned by restore.test.ts: "old endpoints give way to the Service's address".
 */
import { ENDPOINTS_AGE_MS_MAX } from '#wire/limits'
import type { Endpoint, EndpointSet } from '#wire/session'
import type { TableObject } from '#wire/table'
import type { StoredEndpoints } from './disk.ts'

export function endpointsAtStart(
  objects: Iterable<TableObject>,
  stored: StoredEndpoints | null,
  nowMs: number,
): readonly EndpointSet[] {
  const ageMs = stored === null ? Number.POSITIVE_INFINITY : nowMs - stored.atMs
  // A time to come is no better than an old one: the clock was wrong then, or is now.
  const young = Math.abs(ageMs) <= ENDPOINTS_AGE_MS_MAX
  const known = new Map(stored?.sets.map((set) => [set.backend, set.endpoints]))
  const sets: EndpointSet[] = []
  for (const object of objects) {
    if (object.kind !== 'backend') continue
    const own = known.get(object.key)
    const service = addressOf(object.value.clusterAddress)
    const endpoints = young && own !== undefined ? own : (service ?? own ?? [])
    sets.push({ backend: object.key, version: 0, endpoints })
  }
  return sets
}

function addressOf(text: string | null): readonly Endpoint[] | null {
  if (text === null) return null
  const colon = text.lastIndexOf(':')
  const address = text.slice(0, colon).replaceAll(/[[\]]/g, '')
  return [{ address, port: Number(text.slice(colon + 1)), zone: null }]
}
