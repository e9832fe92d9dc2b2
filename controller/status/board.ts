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
import { createLag, type Laggards, LAG_MS } from './lag.ts'

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
  /** After so long a gateway is worth another look, although nothing has happened; null: it is not. */
  lookAgainInMs(gateway: string): number | null
}

export function createBoard(options: BoardOptions): Board {
  return new Verdicts(options)
}

class Verdicts implements Board {
  readonly #options: BoardOptions
  readonly #lag = createLag()
  #startedMs: number | null = null
  #verdicts: ReadonlyMap<string, Verdict> = new Map()
  #gateways: readonly string[] = []
  /** Generations of last valid specs that run instead of the newest. */
  #remembered: ReadonlyMap<string, number> = new Map()
  /** Not programmed everywhere when last looked at. */
  readonly #waiting = new Set<string>()
  /** The newest tables when a generation was first judged: of objects that no table is made from. */
  readonly #firstSeen = new Map<string, FirstSeen>()
  /** Members and what they ran when last looked at, by gateway. */
  readonly #fleets = new Map<string, string>()

  constructor(options: BoardOptions) {
    this.#options = options
  }

  compiled(compiled: Compiled): Iterable<string> {
    this.#startedMs ??= Number(this.#options.now())
    const touched = new Set<string>()
    for (const [id, verdict] of compiled.verdicts) {
      if (this.#verdicts.get(id) !== verdict) touched.add(id)
    }
    this.#gateways = [...compiled.tables.keys()]
    this.#remembered = new Map(
      compiled.remembering.map((entry) => [
        resourceId(entry.kind, entry.namespace, entry.name),
        entry.generation,
      ]),
    )
    this.#verdicts = compiled.verdicts
    for (const id of touched) this.#judgedAnew(id)
    this.#forgetGone()
    for (const gateway of this.#gateways) {
      touched.add(gatewayId(gateway))
      if (this.#fleetOf(gateway) === this.#fleets.get(gateway)) continue
      for (const id of this.membersChanged(gateway)) touched.add(id)
    }
    return touched
  }

  #judgedAnew(id: string): void {
    const verdict = this.#verdicts.get(id)
    if (verdict === undefined || verdict.targets.length > 0) return
    if (this.#firstSeen.get(id)?.generation === verdict.generation) return
    const versions = new Map<string, number>()
    for (const gateway of this.#gateways) {
      versions.set(gateway, this.#options.push.newest(gateway) ?? 0)
    }
    this.#firstSeen.set(id, { generation: verdict.generation, versions })
  }

  #forgetGone(): void {
    for (const id of this.#waiting) if (!this.#verdicts.has(id)) this.#waiting.delete(id)
    for (const id of this.#firstSeen.keys()) {
      if (!this.#verdicts.has(id)) this.#firstSeen.delete(id)
    }
  }

  membersChanged(gateway: string): Iterable<string> {
    this.#fleets.set(gateway, this.#fleetOf(gateway))
    return [...this.#waiting, gatewayId(gateway)]
  }

  #fleetOf(gateway: string): string {
    const members = this.#options.members(gateway)
    return members.map(({ dataPlane, version }) => `${dataPlane}@${version}`).join()
  }

  verdict(id: string): Verdict | null {
    return this.#verdicts.get(id) ?? null
  }

  verdicts(): ReadonlyMap<string, Verdict> {
    return this.#verdicts
  }

  status(id: string): ObjectStatus | null {
    const verdict = this.#verdicts.get(id)
    if (verdict === undefined) return null
    const name = `${verdict.namespace}/${verdict.name}`
    const isGateway = verdict.kind === 'ApiGateway'
    const made = statusOf({
      verdict,
      progress: (gateway) => this.#runningOn(gateway, id, verdict),
      gateways: isGateway ? [name] : this.#gateways,
      laggards: isGateway ? this.#laggards(name) : null,
      before: this.#options.statusBefore(verdict),
      now: `${this.#options.now().toISOString().slice(0, 19)}Z`,
    })
    const programmed = made.conditions.find((condition) => condition.type === 'Programmed')
    if (programmed?.status === 'True' && !isGateway) this.#waiting.delete(id)
    else this.#waiting.add(id)
    return made
  }

  #runningOn(gateway: string, id: string, verdict: Verdict): Running {
    const { members: membersOf, push } = this.#options
    const members = membersOf(gateway)
    if (members.length === 0) return { kind: 'nobody' }
    const generation = this.#remembered.get(id) ?? verdict.generation
    const { uid } = verdict
    return running(members, {
      uid,
      since: ({ replica }) =>
        push.since(gateway, uid, generation, replica) ?? this.#unmade(gateway, id, replica),
    })
  }

  /**
   * A Consumer without a key is valid and in no table: it runs where the table runs that was made
   * with it in mind. Null: the object has a place in some table, and is not there yet.
   */
  #unmade(gateway: string, id: string, replica?: string): number | null {
    const versions = this.#firstSeen.get(id)?.versions
    if (versions === undefined || replica === undefined) return versions?.get(gateway) ?? null
    // Another controller's count: as it stood when its data planes were first asked about.
    const place = `${gateway} ${replica}`
    const seen = versions.get(place) ?? this.#options.push.newest(gateway, replica)
    if (seen !== null) versions.set(place, seen)
    return seen
  }

  #laggards(gateway: string): Laggards {
    const { members, push, now } = this.#options
    return this.#lag.behind({
      gateway,
      members: members(gateway),
      newest: ({ replica }) => push.newest(gateway, replica) ?? 0,
      nowMs: Number(now()),
      startedMs: this.#startedMs ?? 0,
    })
  }

  lookAgainInMs(gateway: string): number | null {
    this.#laggards(gateway)
    return this.#lag.isAnybodyBehind(gateway) === 'yes' ? LAG_MS : null
  }
}

interface FirstSeen {
  readonly generation: number
  /** By gateway; of other controllers by gateway and controller. */
  readonly versions: Map<string, number>
}

function gatewayId(gateway: string): string {
  const [namespace = '', name = ''] = gateway.split('/')
  return resourceId('ApiGateway', namespace, name)
}
