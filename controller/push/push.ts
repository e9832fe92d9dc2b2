/**
 * Push: the controller's end of the wire. Data planes connect, show who they are, and are kept at
 * the newest table of their gateway. Configuration walk: compile → PUSH → ack → status.
 * Pinned by test/wire/edits.test.ts: "any sequence of edits ends with the same table on the other side".
 *
 * What main does with it: on each change of the source `endpoints(snapshot)` and, once compiled,
 * `offer(…)`; both return at once. Before the first offer data planes are answered 503: a controller
 * that has not read everything yet must not push. `members` and `since` tell status who runs what.
 */
import { randomUUID } from 'node:crypto'
import type { CompiledTable } from '../compile/compiled.ts'
import type { EndpointReads } from '../compile/endpoints.ts'
import type { Logger } from '../log.ts'
import type { Basis } from '#wire/session'
import type { PemPair } from './certificate.ts'
import { openDoor } from './door.ts'
import type { StandIn } from './endpoints.ts'
import type { Identify } from './identity.ts'
import { hear } from './hear.ts'
import { createReplicas, together } from './replicas.ts'
import type { OwnTables } from './reporter.ts'
import { lifeOf, Streams } from './streams.ts'
import type { Member } from './tally.ts'
import { TIMINGS } from './timings.ts'
import type { Timings } from './timings.ts'

export interface PushOptions {
  readonly listen: { readonly host: string; readonly port: number }
  readonly certificate: PemPair
  readonly identify: Identify
  readonly log: Logger
  /** The members of a gateway, or what they run, changed. */
  readonly onMembers?: (gateway: string) => void
  /** A data plane has seen more of a watched type than we have: another controller is ahead. */
  readonly onBehind?: (type: string) => void
  /** Endpoints of a backend that has none: a folder's samples. */
  readonly standIn?: StandIn
  readonly timings?: Partial<Timings>
}

/** One compile's result. */
export interface Offering {
  /** By `namespace/name` of the ApiGateway. A gateway that is missing has ended. */
  readonly tables: ReadonlyMap<string, CompiledTable>
  readonly basis: Basis
  /** `spec.epoch` of ApiGateways; absent: 0. */
  readonly epochs?: ReadonlyMap<string, number>
  /** W3C traceparent of the change. */
  readonly trace?: string
}

export interface Push {
  readonly port: number
  /** Names this process's life on the wire. */
  readonly controller: string
  offer(offering: Offering): void
  /** The newest Services and EndpointSlices; a Snapshot fits. */
  endpoints(reads: EndpointReads): void
  /** Those of other controllers too, where these tell of them. */
  members(gateway: string): readonly Member[]
  /**
   * The first version (see Member.version) that carries this generation; null: the newest table has
   * no object made from it. `replica`: in the count of another controller.
   */
  since(gateway: string, uid: string, generation: number, replica?: string): number | null
  /** Version of the newest table of a gateway; null: there is none. */
  newest(gateway: string, replica?: string): number | null
  /** What there is to tell another controller. */
  readonly own: OwnTables
  replaceCertificate(pair: PemPair): void
  close(): Promise<void>
}

export async function createPush(options: PushOptions): Promise<Push> {
  const timings: Timings = { ...TIMINGS, ...options.timings }
  const controller = randomUUID()
  const onMembers = options.onMembers ?? (() => undefined)
  const replicas = createReplicas(onMembers)
  const streams = new Streams({
    controller,
    timings,
    log: options.log,
    onMembers,
    onBehind: options.onBehind ?? (() => undefined),
    standIn: options.standIn ?? (() => null),
  })
  const door = await openDoor({
    listen: options.listen,
    certificate: options.certificate,
    identify: options.identify,
    timings,
    log: options.log,
    serves: (gateway) => (streams.newest(gateway) === null ? 'notYet' : 'yes'),
    accept: (visitor) => streams.accept(visitor),
    hear: ({ stream, identity }) => {
      const lifeMs = lifeOf(identity.expiresAtMs, timings.ageMs)
      return hear(stream, { replicas, lifeMs, log: options.log })
    },
  })
  return {
    port: door.port,
    controller,
    offer: (offering) => streams.offer(offering),
    endpoints: (reads) => streams.endpoints(reads),
    own: streams,
    members: (gateway) => together(streams.members(gateway), replicas.members(gateway)),
    since: (gateway, uid, generation, replica) =>
      replica === undefined
        ? streams.since(gateway, uid, generation)
        : replicas.since({ replica, gateway, uid, generation }),
    newest: (gateway, replica) =>
      replica === undefined ? streams.newest(gateway) : replicas.newest(replica, gateway),
    replaceCertificate: (pair) => door.replaceCertificate(pair),
    async close() {
      streams.end('the controller stops')
      await door.close()
    },
  }
}
