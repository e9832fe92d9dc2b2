/**
 * Which data planes count for a gateway: the ready endpoints of its Service, whether they are
 * connected or not; where it names no Service, those that are connected.
 * Pinned by members.test.ts: "a ready pod that is not connected counts as one that runs nothing".
 */
import type { Resource, Snapshot } from '../compile/snapshot.ts'
import { at, listAt, textAt } from '../kube/fields.ts'
import type { Member } from '../push/tally.ts'

export interface Members {
  of(gateway: string, snapshot: Snapshot | null, connected: readonly Member[]): readonly Member[]
}

interface Ready {
  /** What it was read from: equal identities, equal pods. */
  readonly gateway: Resource
  readonly slices: ReadonlyMap<string, Resource> | undefined
  /** Null: no Service is named. */
  readonly pods: readonly string[] | null
}

/** Asked for each object that waits for data planes, and read anew only where something changed. */
export function createMembers(): Members {
  const known = new Map<string, Ready>()

  function podsOf(gateway: string, snapshot: Snapshot): readonly string[] | null {
    const [namespace = '', name = ''] = gateway.split('/')
    const resource = snapshot.kinds.ApiGateway.get(namespace)?.get(name)
    if (resource === undefined) return null
    const slices = snapshot.kinds.EndpointSlice.get(namespace)
    const before = known.get(gateway)
    if (before?.gateway === resource && before.slices === slices) return before.pods
    const service = textAt(resource.content['spec'], 'dataPlanes', 'service')
    const pods = service === null ? null : readyPods(slices, service)
    known.set(gateway, { gateway: resource, slices, pods })
    return pods
  }

  return {
    of(gateway, snapshot, connected) {
      const pods = snapshot === null ? null : podsOf(gateway, snapshot)
      if (pods === null) return connected
      return pods.map(
        (pod) => connected.find(({ dataPlane }) => dataPlane === pod) ?? absent(gateway, pod),
      )
    },
  }
}

function readyPods(slices: Ready['slices'], service: string): readonly string[] {
  const own = [...(slices?.values() ?? [])].filter(
    (slice) => slice.labels['kubernetes.io/service-name'] === service,
  )
  return [...new Set(own.flatMap(readyIn))].toSorted()
}

function readyIn(slice: Resource): readonly string[] {
  return listAt(slice.content, 'endpoints').flatMap((endpoint) => {
    const pod = textAt(endpoint, 'targetRef', 'name')
    // Absent means ready (discovery.k8s.io/v1).
    return at(endpoint, 'conditions', 'ready') === false || pod === null ? [] : [pod]
  })
}

function absent(gateway: string, dataPlane: string): Member {
  return {
    gateway,
    dataPlane,
    connectedAtMs: 0,
    version: null,
    basis: {},
    hash: null,
    rejected: [],
    refused: null,
  }
}
