/**
 * The streams of all gateways, and what is offered on them: a new table wakes the streams of its
 * gateway, changed endpoints those of every gateway that has the backend.
 * Pinned by test/wire/edits.test.ts: "any sequence of edits ends with the same table on the other side".
 */
import type { CompiledTable } from '../compile/compiled.ts'
import type { EndpointReads } from '../compile/endpoints.ts'
import type { Logger } from '../log.ts'
import { behind } from '#wire/basis'
import type { UpFrame } from '#wire/session'
import { WIRE_VERSION } from '#wire/table'
import type { Visitor } from './door.ts'
import { createEncoder } from './encode.ts'
import type { Encoder } from './encode.ts'
import { createEndpointLane } from './endpoints.ts'
import type { EndpointLane, StandIn } from './endpoints.ts'
import { createOffers } from './offer.ts'
import type { Offers } from './offer.ts'
import type { Offering } from './push.ts'
import type { CarriedResource } from './report.ts'
import { Session, upFrames } from './session.ts'
import { createTally } from './tally.ts'
import type { Member, Tally } from './tally.ts'
import type { Timings } from './timings.ts'

export interface StreamsOptions {
  readonly controller: string
  readonly timings: Timings
  readonly log: Logger
  readonly onMembers: (gateway: string) => void
  readonly onBehind: (type: string) => void
  readonly standIn: StandIn
}

interface GatewayStreams {
  readonly offers: Offers
  /** By name of the data plane. */
  readonly sessions: Map<string, Session>
}

export class Streams {
  readonly #options: StreamsOptions
  readonly #encoder: Encoder = createEncoder()
  readonly #lane: EndpointLane
  readonly #tally: Tally
  readonly #gateways = new Map<string, GatewayStreams>()

  constructor(options: StreamsOptions) {
    this.#options = options
    this.#lane = createEndpointLane(options.standIn)
    this.#tally = createTally(options.onMembers)
  }

  offer(offering: Offering): void {
    for (const [gateway, table] of offering.tables) this.#offer(gateway, table, offering)
    for (const [gateway, streams] of this.#gateways) {
      if (!offering.tables.has(gateway)) this.#dismiss(gateway, streams)
    }
  }

  #offer(gateway: string, table: CompiledTable, offering: Offering): void {
    const { log } = this.#options
    const streams = this.#gateways.get(gateway) ?? {
      offers: createOffers(this.#encoder),
      sessions: new Map<string, Session>(),
    }
    const { basis, trace = null } = offering
    const epoch = String(offering.epochs?.get(gateway) ?? 0)
    const accepted = streams.offers.accept({ table, basis, epoch, trace })
    if (accepted.kind === 'unsendable') {
      const { because } = accepted
      log.error({ gateway, because }, 'bug: compile made a table that no data plane can run')
    }
    if (accepted.kind !== 'newTable') return
    this.#gateways.set(gateway, streams)
    this.#changed(this.#lane.want(accepted.added))
    this.#forget(accepted.removed)
    for (const session of streams.sessions.values()) session.wake()
  }

  #dismiss(gateway: string, { offers, sessions }: GatewayStreams): void {
    this.#gateways.delete(gateway)
    this.#forget(offers.backends)
    for (const session of sessions.values()) session.end('the gateway is gone')
  }

  /** Backends of one gateway that may still be those of another. */
  #forget(backends: Iterable<string>): void {
    const others = [...this.#gateways.values()]
    const gone = [...backends].filter(
      (key) => !others.some(({ offers }) => offers.backends.has(key)),
    )
    this.#lane.forget(gone)
  }

  endpoints(reads: EndpointReads): void {
    this.#changed(this.#lane.update(reads))
  }

  #changed(backends: readonly string[]): void {
    if (backends.length === 0) return
    for (const session of this.#sessions()) session.endpointsChanged(backends)
  }

  /** Resolves when the stream is over; never rejects. */
  async accept({ stream, identity }: Visitor): Promise<void> {
    const { timings, log } = this.#options
    const { gateway } = identity
    const streams = this.#gateways.get(gateway)
    const up = upFrames(stream)
    const resume = await firstFrame(up, timings.helloWithinMs)
    if (streams === undefined || resume?.type !== 'resume') return
    if (resume.version < WIRE_VERSION) {
      log.error({ gateway, version: resume.version }, 'a data plane speaks an older wire than ours')
      return
    }
    this.#compare(streams.offers, resume)
    const dataPlane = identity.dataPlane ?? resume.dataPlane
    const session = new Session(stream, resume, {
      gateway,
      dataPlane,
      controller: this.#options.controller,
      connectedAtMs: Date.now(),
      offers: streams.offers,
      lane: this.#lane,
      encoder: this.#encoder,
      timings,
      log,
      report: (member) => {
        // A stream that was replaced may still hear the last word of its data plane.
        if (streams.sessions.get(dataPlane) === session) this.#tally.set(member)
      },
    })
    streams.sessions.get(dataPlane)?.end('the same data plane opened another stream')
    streams.sessions.set(dataPlane, session)
    log.info({ gateway, dataPlane, runs: resume.hash }, 'a data plane connected')
    const because = await runFor(session, up, lifeOf(identity.expiresAtMs, timings.ageMs))
    if (streams.sessions.get(dataPlane) === session) {
      streams.sessions.delete(dataPlane)
      this.#tally.remove({ gateway, dataPlane })
    }
    log.info({ gateway, dataPlane, because }, 'a data plane disconnected')
  }

  /** It will refuse what we offer until we have caught up with what it has. */
  #compare({ newest }: Offers, resume: UpFrame & { readonly type: 'resume' }): void {
    const type = newest === null ? null : behind(newest, resume)
    if (type !== null) this.#options.onBehind(type)
  }

  *#sessions(): Generator<Session> {
    for (const { sessions } of this.#gateways.values()) yield* sessions.values()
  }

  members(gateway: string): readonly Member[] {
    return this.#tally.members(gateway)
  }

  gateways(): Iterable<string> {
    return this.#gateways.keys()
  }

  since(gateway: string, uid: string, generation: number): number | null {
    return this.#gateways.get(gateway)?.offers.sources.since(uid, generation) ?? null
  }

  carriedAfter(gateway: string, version: number): Iterable<CarriedResource> {
    return this.#gateways.get(gateway)?.offers.sources.after(version) ?? []
  }

  newest(gateway: string): number | null {
    return this.#gateways.get(gateway)?.offers.newest?.version ?? null
  }

  end(because: string): void {
    for (const session of this.#sessions()) session.end(because)
  }
}

/** Null: none came in time, or the stream ended or held something else. */
async function firstFrame(up: AsyncIterator<UpFrame>, withinMs: number): Promise<UpFrame | null> {
  const late = Promise.withResolvers<null>()
  const timer = setTimeout(() => late.resolve(null), withinMs)
  const first = up.next().then(
    (result) => (result.done === true ? null : result.value),
    () => null,
  )
  const frame = await Promise.race([first, late.promise])
  clearTimeout(timer)
  return frame
}

/** Spread by a fifth both ways; never beyond the token. */
export function lifeOf(expiresAtMs: number | null, ageMs: number): number {
  const aged = ageMs * (0.8 + 0.4 * Math.random())
  return expiresAtMs === null ? aged : Math.max(0, Math.min(aged, expiresAtMs - Date.now()))
}

async function runFor(
  session: Session,
  up: AsyncIterable<UpFrame>,
  lifeMs: number,
): Promise<string> {
  const timer = setTimeout(() => session.end('it is time to connect anew'), lifeMs)
  const because = await session.run(up)
  clearTimeout(timer)
  return because
}
