/**
 * Who runs what: each connected data plane, the table it has acknowledged, and what it could not
 * execute of it. Configuration walk: push → ACK → status. Latching is status's business: here is
 * only what holds at this moment.
 * Pinned by tally.test.ts: "a resource runs everywhere when every member acknowledged its table".
 */
import type { Basis, Rejection } from '#wire/session'

export interface Member {
  readonly gateway: string
  /** The pod's name, from its token. */
  readonly dataPlane: string
  readonly connectedAtMs: number
  /** The controller that it is connected to, where that is another; its versions are that one's. */
  readonly replica?: string
  /** Of the table that it acknowledged, in its controller's count; null: none yet. */
  readonly version: number | null
  readonly basis: Basis
  readonly hash: string | null
  /** Objects of that table that it cannot execute. */
  readonly rejected: readonly Rejection[]
  /** Why it would not take the newest table; null: it would, or was not asked yet. */
  readonly refused: string | null
}

export interface Tally {
  members(gateway: string): readonly Member[]
  set(member: Member): void
  remove(member: Pick<Member, 'gateway' | 'dataPlane'>): void
}

export type Running =
  | { readonly kind: 'everywhere' }
  | { readonly kind: 'notYet'; readonly where: readonly string[] }
  | { readonly kind: 'rejected'; readonly by: string; readonly because: string }
  /** There is no member at all. */
  | { readonly kind: 'nobody' }

export interface Question {
  readonly uid: string
  /** The first version that carries the resource as it is now; null: none does. */
  readonly since: (member: Member) => number | null
}

export function createTally(onChange: (gateway: string) => void): Tally {
  const gateways = new Map<string, Map<string, Member>>()
  return {
    members: (gateway) => [...(gateways.get(gateway)?.values() ?? [])],
    set(member) {
      const known = gateways.get(member.gateway)
      if (known === undefined) gateways.set(member.gateway, new Map([[member.dataPlane, member]]))
      else known.set(member.dataPlane, member)
      onChange(member.gateway)
    },
    remove({ gateway, dataPlane }) {
      if (gateways.get(gateway)?.delete(dataPlane) === true) onChange(gateway)
    },
  }
}

/** Whether these members all run a resource now: the newer tables of a member carry it as well. */
export function running(members: readonly Member[], { uid, since }: Question): Running {
  if (members.length === 0) return { kind: 'nobody' }
  const has = members.filter((member) => {
    const first = since(member)
    return first !== null && member.version !== null && member.version >= first
  })
  for (const member of has) {
    const rejection = member.rejected.find(({ sources }) =>
      sources.some((source) => source.uid === uid),
    )
    if (rejection !== undefined) {
      return { kind: 'rejected', by: member.dataPlane, because: rejection.reason }
    }
  }
  if (has.length === members.length) return { kind: 'everywhere' }
  const where = members.filter((member) => !has.includes(member))
  return { kind: 'notYet', where: where.map(({ dataPlane }) => dataPlane) }
}
