/**
 * Everything that a status is made of, at one place: the newest verdicts, who runs what, and the
 * statuses as they were last read. Configuration walk: push → ack → STATUS.
 * Pinned by board.test.ts: "an acknowledgement touches only what was waiting for it".
 */
import type { Compiled, Verdict } from '../compile/compiled.ts'
import { resourceId } from '../compile/snapshot.ts'
import type { Push } from '../push/push.ts'
import { type Member, type Running, running } from '../push/tally.ts'
import { type ObjectStatus, statusOf } from './conditions.ts'

export interface BoardOptions {
  readonly push: Pick<Push, 'since' | 'newest' | 'members'>
  /** Data planes that count for a gateway; outside a cluster, those that are connected. */
  readonly members: (gateway: string) => readonly Member[]
  readonly statusBefore: (verdict: Verdict) => unknown
  readonly now: () => Date
}

export interface Board {
  /** The objects whose status may have changed by this compile. */
  compiled(compiled: Compiled): Iterable<string>
  /** The objects that may have changed with the data planes of a gateway. */
  membersChanged(gateway: string): Iterable<string>
  verdict(id: string): Verdict | null
  /** Null where there is no such object any more. */
  status(id: string): ObjectStatus | null
  verdicts(): ReadonlyMap<string, Verdict>
}

export function createBoard(options: BoardOptions): Board {
  let verdicts: ReadonlyMap<string, Verdict> = new Map()
  let gateways: readonly string[] = []
  /** Generations of last valid specs that run instead of the newest. */
  let remembered: ReadonlyMap<string, number> = new Map()
  /** Not programmed everywhere when last looked at. */
  const waiting = new Set<string>()

  function runningOn(gateway: string, verdict: Verdict): Running {
    const members = options.members(gateway)
    const id = resourceId(verdict.kind, verdict.namespace, verdict.name)
    const generation = remembered.get(id) ?? verdict.generation
    const since = options.push.since(gateway, verdict.uid, generation)
    if (members.length === 0) return { kind: 'nobody' }
    if (since === null) return { kind: 'notYet', where: members.map((member) => member.dataPlane) }
    return running(members, { uid: verdict.uid, since })
  }

  function laggards(gateway: string): readonly string[] {
    const newest = options.push.newest(gateway) ?? 0
    return options
      .members(gateway)
      .filter((member) => (member.version ?? -1) < newest)
      .map((member) => member.dataPlane)
      .toSorted()
  }

  function status(id: string): ObjectStatus | null {
    const verdict = verdicts.get(id)
    if (verdict === undefined) return null
    const name = `${verdict.namespace}/${verdict.name}`
    const made = statusOf({
      verdict,
      progress: (gateway) => runningOn(gateway, verdict),
      gateways: verdict.kind === 'ApiGateway' ? [name] : gateways,
      laggards: verdict.kind === 'ApiGateway' ? laggards(name) : null,
      before: options.statusBefore(verdict),
      now: `${options.now().toISOString().slice(0, 19)}Z`,
    })
    const programmed = made.conditions.find((condition) => condition.type === 'Programmed')
    if (programmed?.status === 'True' && verdict.kind !== 'ApiGateway') waiting.delete(id)
    else waiting.add(id)
    return made
  }

  return {
    compiled(compiled) {
      const touched = new Set<string>()
      for (const [id, verdict] of compiled.verdicts) {
        if (verdicts.get(id) !== verdict) touched.add(id)
      }
      for (const id of waiting) if (!compiled.verdicts.has(id)) waiting.delete(id)
      verdicts = compiled.verdicts
      remembered = new Map(
        compiled.remembering.map((entry) => [
          resourceId(entry.kind, entry.namespace, entry.name),
          entry.generation,
        ]),
      )
      gateways = [...compiled.tables.keys()]
      for (const gateway of gateways) touched.add(resourceId('ApiGateway', ...split(gateway)))
      return touched
    },
    membersChanged: (gateway) => [...waiting, resourceId('ApiGateway', ...split(gateway))],
    verdict: (id) => verdicts.get(id) ?? null,
    status,
    verdicts: () => verdicts,
  }
}

function split(name: string): [namespace: string, name: string] {
  const [namespace = '', inner = ''] = name.split('/')
  return [namespace, inner]
}
