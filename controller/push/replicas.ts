/**
 * What other controllers have told of their data planes, for the leader, who writes for all of them.
 * Configuration walk: push → ACK → status. A controller whose stream ends has no members any more:
 * its data planes turn to another and are told of by that one.
 * Pinned by replicas.test.ts: "a member counts by the versions of the controller it is with".
 */
import type { CarriedResource, ReportedMember, ReportFrame } from './report.ts'
import type { Member } from './tally.ts'

export interface Replicas {
  /** A controller begins to tell; what it told on an older stream is forgotten. */
  begin(replica: string): Told
  members(gateway: string): readonly Member[]
  since(of: Carried): number | null
  newest(replica: string, gateway: string): number | null
}

export interface Told {
  take(frame: ReportFrame): void
  end(): void
}

export interface Carried {
  readonly replica: string
  readonly gateway: string
  readonly uid: string
  readonly generation: number
}

interface Gateway {
  readonly carried: Map<string, CarriedResource>
  newest: number
  members: readonly Member[]
}

export function createReplicas(onChange: (gateway: string) => void): Replicas {
  const replicas = new Map<string, Map<string, Gateway>>()

  function forget(gateways: ReadonlyMap<string, Gateway> | undefined): void {
    for (const [gateway, { members }] of gateways ?? []) if (members.length > 0) onChange(gateway)
  }

  function gatewayOf(gateways: Map<string, Gateway>, name: string): Gateway {
    const known = gateways.get(name)
    if (known !== undefined) return known
    const made: Gateway = { carried: new Map(), newest: 0, members: [] }
    gateways.set(name, made)
    return made
  }

  return {
    begin(replica) {
      const before = replicas.get(replica)
      const gateways = new Map<string, Gateway>()
      replicas.set(replica, gateways)
      forget(before)
      return {
        take(frame) {
          if (frame.type === 'hello' || replicas.get(replica) !== gateways) return
          const gateway = gatewayOf(gateways, frame.gateway)
          if (frame.type === 'carried') {
            for (const resource of frame.resources) gateway.carried.set(resource.uid, resource)
            return
          }
          gateway.newest = frame.newest
          gateway.members = frame.members.map((one) => memberOf(replica, frame.gateway, one))
          onChange(frame.gateway)
        },
        end() {
          if (replicas.get(replica) !== gateways) return
          replicas.delete(replica)
          forget(gateways)
        },
      }
    },
    members: (gateway) =>
      [...replicas.values()].flatMap((gateways) => gateways.get(gateway)?.members ?? []),
    since({ replica, gateway, uid, generation }) {
      const carried = replicas.get(replica)?.get(gateway)?.carried.get(uid)
      return carried?.generation === generation ? carried.version : null
    },
    newest: (replica, gateway) => replicas.get(replica)?.get(gateway)?.newest ?? null,
  }
}

function memberOf(replica: string, gateway: string, told: ReportedMember): Member {
  return { gateway, replica, basis: {}, hash: null, ...told }
}

/** Each data plane once, by the controller that it turned to last. */
export function together(own: readonly Member[], told: readonly Member[]): readonly Member[] {
  if (told.length === 0) return own
  const newest = new Map<string, Member>()
  for (const member of [...own, ...told]) {
    const known = newest.get(member.dataPlane)
    if (known === undefined || member.connectedAtMs > known.connectedAtMs) {
      newest.set(member.dataPlane, member)
    }
  }
  return [...newest.values()]
}
