/**
 * Which data planes count for a gateway: the ready endpoints of its Service, whether they are
 * connected or not; where it names no Service, those that are connected.
 * Pinned by members.test.ts: "a ready pod that is not connected counts as one that runs nothing".
 */
import type { Resource, Snapshot } from '../compile/snapshot.ts'
import { at, listAt, textAt } from '../kube/fields.ts'
import type { Member } from '../push/tally.ts'

export function membersOf(
  gateway: string,
  snapshot: Snapshot | null,
  connected: readonly Member[],
): readonly Member[] {
  const [namespace = '', name = ''] = gateway.split('/')
  const spec = snapshot?.kinds.ApiGateway.get(namespace)?.get(name)?.content['spec']
  const service = textAt(spec, 'dataPlanes', 'service')
  if (snapshot === null || service === null) return connected
  const byName = new Map(connected.map((member) => [member.dataPlane, member]))
  const slices = [...(snapshot.kinds.EndpointSlice.get(namespace)?.values() ?? [])]
  const pods = new Set(
    slices
      .filter((slice) => slice.labels['kubernetes.io/service-name'] === service)
      .flatMap(readyPods),
  )
  return [...pods].toSorted().map((pod) => byName.get(pod) ?? absent(gateway, pod))
}

function readyPods(slice: Resource): readonly string[] {
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
