/**
 * One stream to one data plane: says hello, sends tables as deltas or snapshots, one commit at a
 * time, keeps the endpoints' lane, and listens to what the data plane acknowledges. What changes
 * while a commit is in flight is no queue: the next push leads to the newest table, whatever that is.
 * Pinned by test/wire/edits.test.ts: "any sequence of edits ends with the same table on the other side".
 */
import type { Duplex } from 'node:stream'
import type { Logger } from '../log.ts'
import { decodeUpFrame } from '#wire/decode'
import { EMPTY_HASH } from '#wire/digest'
import { UP_FRAME_BYTES_MAX } from '#wire/limits'
import { lines } from '#wire/lines'
import type { DownFrame, UpFrame } from '#wire/session'
import { WIRE_VERSION } from '#wire/table'
import { Gone, createDown } from './down.ts'
import type { Down } from './down.ts'
import { frameLine } from './encode.ts'
import type { Encoder } from './encode.ts'
import type { DigestedSet, EndpointLane } from './endpoints.ts'
import { inWireOrder } from './offer.ts'
import type { Changes, Offer, Offers } from './offer.ts'
import { createSentEndpoints } from './sent.ts'
import type { SentEndpoints } from './sent.ts'
import type { Member } from './tally.ts'
import type { Timings } from './timings.ts'

export interface SessionContext {
  readonly gateway: string
  readonly dataPlane: string
  /** Names this process's life. */
  readonly controller: string
  readonly connectedAtMs: number
  readonly offers: Offers
  readonly lane: EndpointLane
  readonly encoder: Encoder
  readonly timings: Timings
  readonly log: Logger
  readonly report: (member: Member) => void
}

type Resume = Extract<UpFrame, { type: 'resume' }>

interface Flight {
  readonly offer: Offer
  readonly from: 'snapshot' | 'delta'
  readonly sentAtMs: number
}

type Step =
  | { readonly kind: 'endpoints' }
  | { readonly kind: 'push'; readonly offer: Offer }
  | { readonly kind: 'ping' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'end'; readonly because: string }

export class Session {
  readonly #context: SessionContext
  readonly #stream: Duplex
  readonly #down: Down
  readonly #sent: SentEndpoints
  /** Of what it acknowledged last. */
  #acknowledged: Pick<Member, 'basis' | 'rejected'>
  #running: { readonly version: number | null; readonly hash: string | null }
  #flight: Flight | null = null
  /** A version that was refused as a whole is not offered again. */
  #refused: { readonly version: number; readonly reason: string } | null = null
  #next: 'deltaIfKnown' | 'snapshot' = 'deltaIfKnown'
  #greeted: 'no' | 'yes' = 'no'
  #notBeforeMs = 0
  #ending: string | null = null
  #over: string | null = null
  #woken = Promise.withResolvers<void>()

  constructor(stream: Duplex, resume: Resume, context: SessionContext) {
    this.#context = context
    this.#stream = stream
    this.#down = createDown(stream, context.timings.drainWithinMs)
    this.#sent = createSentEndpoints(context.lane)
    const version = resume.hash === null ? null : context.offers.versionOf(resume.hash)
    this.#running = { version, hash: version === null ? null : resume.hash }
    this.#acknowledged = { basis: resume.basis, rejected: [] }
  }

  /** Something may have changed: a table, endpoints, an acknowledgement. */
  wake(): void {
    this.#woken.resolve()
  }

  endpointsChanged(keys: readonly string[]): void {
    this.#sent.mark(keys)
    if (this.#sent.waiting === 'some') this.wake()
  }

  /** After the commit in flight, so that nothing is torn. */
  end(because: string): void {
    this.#ending ??= because
    this.wake()
  }

  /** Resolves with the reason when the stream is over; never rejects. */
  async run(up: AsyncIterable<UpFrame>): Promise<string> {
    this.#report() // a member from now on, whatever it runs yet
    const heard = this.#listen(up)
    const said = this.#speak()
    const because = await Promise.race([heard, said]).catch(sentenceOf)
    this.#over = because
    this.wake()
    if (!this.#stream.writableEnded) this.#stream.end()
    await Promise.allSettled([said])
    return because
  }

  async #listen(up: AsyncIterable<UpFrame>): Promise<string> {
    for await (const frame of up) {
      const because = this.#hear(frame)
      if (because !== null) return because
      this.wake()
    }
    return 'the data plane ended it'
  }

  /** Null: go on. */
  #hear(frame: UpFrame): string | null {
    const flight = this.#flight
    if (frame.type === 'resume') return 'the data plane resumed twice'
    if (flight === null || flight.offer.table.hash !== frame.hash) {
      return `the data plane answered a commit that is not in flight`
    }
    this.#flight = null
    if (frame.type === 'refuse') {
      this.#refuse(flight, frame.reason)
      return null
    }
    this.#running = { version: flight.offer.version, hash: frame.hash }
    this.#acknowledged = frame
    this.#refused = null
    this.#report()
    return null
  }

  #refuse({ offer, from }: Flight, reason: string): void {
    const { gateway, dataPlane, log, timings } = this.#context
    log.error({ gateway, dataPlane, hash: offer.table.hash, reason }, 'a table was refused')
    this.#sent.undo()
    this.#notBeforeMs = performance.now() + timings.commitEveryMs
    // What a delta led to may be right where the data plane's own table was not.
    if (from === 'delta') this.#next = 'snapshot'
    else this.#refused = { version: offer.version, reason }
    this.#report()
  }

  #report(): void {
    const { gateway, dataPlane, connectedAtMs, report } = this.#context
    const { version, hash } = this.#running
    const { basis, rejected } = this.#acknowledged
    const refused = this.#refused?.reason ?? null
    report({ gateway, dataPlane, connectedAtMs, version, basis, hash, rejected, refused })
  }

  async #speak(): Promise<string> {
    for (;;) {
      const step = this.#step(performance.now())
      switch (step.kind) {
        case 'end':
          return step.because
        case 'push':
          await this.#push(step.offer)
          break
        case 'endpoints':
          await this.#down.send(setLines(this.#sent.take()))
          break
        case 'ping':
          await this.#down.send([frameLine(this.#ping())])
          break
        case 'wait':
          await this.#sleep(step.ms)
          break
        default:
          return step satisfies never
      }
    }
  }

  #step(nowMs: number): Step {
    const { timings } = this.#context
    const flight = this.#flight
    if (this.#over !== null) return { kind: 'end', because: this.#over }
    if (flight !== null && nowMs - flight.sentAtMs >= timings.ackWithinMs) {
      return { kind: 'end', because: 'a commit was not acknowledged in time' }
    }
    if (this.#ending !== null && flight === null) return { kind: 'end', because: this.#ending }
    if (this.#sent.waiting === 'some') return { kind: 'endpoints' }
    const pingInMs = this.#down.sentAtMs + timings.pingEveryMs - nowMs
    if (flight !== null) {
      const ackInMs = flight.sentAtMs + timings.ackWithinMs - nowMs
      return pingInMs <= 0 ? { kind: 'ping' } : { kind: 'wait', ms: Math.min(pingInMs, ackInMs) }
    }
    return this.#idle(nowMs, pingInMs)
  }

  /** Nothing is in flight. */
  #idle(nowMs: number, pingInMs: number): Step {
    const offer = this.#due()
    if (offer !== null && nowMs >= this.#notBeforeMs) return { kind: 'push', offer }
    if (pingInMs <= 0) return { kind: 'ping' }
    const pushInMs = offer === null ? pingInMs : this.#notBeforeMs - nowMs
    return { kind: 'wait', ms: Math.min(pingInMs, pushInMs) }
  }

  /** The newest table, unless it runs there already or was refused as a whole. */
  #due(): Offer | null {
    const offer = this.#context.offers.newest
    if (offer === null || offer.version === this.#refused?.version) return null
    if (this.#greeted === 'no') return offer // also where it runs already: its basis may be old
    return offer.version === this.#running.version ? null : offer
  }

  async #push(offer: Offer): Promise<void> {
    const { version, hash } = this.#running
    const changes =
      this.#next === 'snapshot' || version === null
        ? null
        : this.#context.offers.changesSince(version)
    this.#next = 'deltaIfKnown'
    const from = changes === null || hash === null ? 'snapshot' : 'delta'
    // Backends are captured before anything is awaited: the lane may forget them meanwhile.
    const sets = this.#backends(offer, changes)
    const greeting = this.#greeted === 'no' ? [frameLine(this.#hello(offer))] : []
    this.#greeted = 'yes'
    const begin = hash === null || changes === null ? SNAPSHOT : delta(hash)
    // In flight from now on: the acknowledgement may come before the last drain does.
    this.#flight = { offer, from, sentAtMs: performance.now() }
    await this.#down.send(greeting)
    await this.#down.send(this.#pushLines({ offer, begin, changes, sets }))
    if (this.#flight !== null) this.#flight = { ...this.#flight, sentAtMs: performance.now() }
  }

  #backends(offer: Offer, changes: Changes | null): readonly DigestedSet[] {
    const objects = changes === null ? offer.table.objects.values() : changes.puts
    const named: string[] = []
    for (const object of objects) if (object.kind === 'backend') named.push(object.key)
    // A first delta is about a table whose endpoints this stream has not sent yet.
    const all = changes !== null && this.#greeted === 'no' ? offer.table.objects.values() : []
    for (const object of all) if (object.kind === 'backend') named.push(object.key)
    const kept = new Set(named)
    const dropped =
      changes === null
        ? [...this.#sent.backends].filter((key) => !kept.has(key))
        : changes.drops.filter(({ kind }) => kind === 'backend').map(({ key }) => key)
    return this.#sent.begin(named, dropped)
  }

  *#pushLines(push: PushFrames): Generator<string> {
    const { offer, begin, changes, sets } = push
    yield frameLine(begin)
    const puts = changes === null ? inWireOrder(offer.table) : changes.puts
    for (const object of puts) yield this.#context.encoder.put(object)
    for (const { kind, key } of changes?.drops ?? []) yield frameLine({ type: 'drop', kind, key })
    yield* setLines(sets)
    const { basis, trace } = offer
    yield frameLine({ type: 'commit', basis, hash: offer.table.hash, trace })
  }

  #hello({ epoch, basis }: Offer): DownFrame & { type: 'hello' } {
    const { gateway, controller } = this.#context
    return { type: 'hello', version: WIRE_VERSION, gateway, controller, epoch, basis }
  }

  #ping(): DownFrame & { type: 'ping' } {
    const hash = this.#flight?.offer.table.hash ?? this.#running.hash ?? EMPTY_HASH
    return { type: 'ping', hash, endpointsHash: this.#sent.hash }
  }

  async #sleep(ms: number): Promise<void> {
    const timer = setTimeout(() => this.wake(), Math.max(1, ms))
    await this.#woken.promise
    clearTimeout(timer)
    this.#woken = Promise.withResolvers<void>()
  }
}

interface PushFrames {
  readonly offer: Offer
  readonly begin: DownFrame & { type: 'begin' }
  /** Null: all of the table. */
  readonly changes: Changes | null
  readonly sets: readonly DigestedSet[]
}

const SNAPSHOT: DownFrame & { type: 'begin' } = { type: 'begin', from: { kind: 'snapshot' } }

function delta(hash: string): DownFrame & { type: 'begin' } {
  return { type: 'begin', from: { kind: 'delta', hash } }
}

function* setLines(sets: readonly DigestedSet[]): Generator<string> {
  for (const { set } of sets) yield frameLine({ type: 'endpoints', set })
}

/** Frames of a data plane. Throws Gone at the first that is none. */
export async function* upFrames(stream: AsyncIterable<Uint8Array>): AsyncGenerator<UpFrame> {
  for await (const line of lines(stream, UP_FRAME_BYTES_MAX)) {
    const decoded = decodeUpFrame(line)
    if (decoded.kind === 'refused') {
      throw new Gone(`the data plane sent a frame that ${decoded.fault.sentence}`)
    }
    yield decoded.value
  }
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : 'it failed'
}
