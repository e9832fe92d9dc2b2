/**
 * What a data plane does with the frames of a stream: collects a push, checks it whole, lets the
 * workers swap, and only then acknowledges. What cannot be accepted changes nothing: the table that
 * ran before goes on. Frames are handled one after the other, in their order.
 * Pinned by apply.test.ts: "a push that cannot be accepted leaves everything as it was".
 */
import { behind } from '#wire/basis'
import { EMPTY_HASH } from '#wire/digest'
import { REJECTIONS_MAX, TABLE_BYTES_MAX } from '#wire/limits'
import type { Basis, DownFrame, EndpointSet, Rejection, UpFrame } from '#wire/session'
import { WIRE_VERSION, objectId } from '#wire/table'
import type { TableObject } from '#wire/table'
import type { HeldEndpoints } from './endpoints.ts'
import { digestOf } from './held.ts'
import type { Drop, Held } from './held.ts'
import type { Logger, TableChange, Workers } from './port.ts'

/** A frame as it came, or why it is none. */
export type Heard =
  | { readonly kind: 'frame'; readonly frame: DownFrame; readonly bytes: number }
  | { readonly kind: 'unreadable'; readonly because: string }

export type Reply =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'say'; readonly frame: UpFrame }
  /** The stream is of no use. `elsewhere`: another controller may be further. */
  | { readonly kind: 'end'; readonly because: string; readonly next: 'anew' | 'elsewhere' }

export interface ApplyOptions {
  readonly held: Held
  readonly endpoints: HeldEndpoints
  readonly workers: Workers
  readonly log: Logger
  readonly on: {
    /** A controller that is not behind offers this. */
    hello(hello: DownFrame & { readonly type: 'hello' }): void
    committed(change: TableChange): void
    refused(): void
    endpoints(): void
  }
}

interface Pending {
  readonly from: 'snapshot' | 'delta'
  readonly puts: Map<string, TableObject>
  readonly drops: Map<string, Drop>
  readonly sets: EndpointSet[]
  bytes: number
  /** The first thing that was wrong with it. */
  fault: string | null
}

const NOTHING: Reply = { kind: 'nothing' }

export class Apply {
  readonly #options: ApplyOptions
  #hello: (DownFrame & { readonly type: 'hello' }) | null = null
  #pending: Pending | null = null
  /** After a refusal the controller's idea of our hash is its own until the next commit. */
  #pings: 'compared' | 'ignored' = 'compared'

  constructor(options: ApplyOptions) {
    this.#options = options
  }

  /** A new stream: what the last one left half-done is gone. */
  resume(dataPlane: string): UpFrame {
    this.#hello = null
    this.#pending = null
    this.#pings = 'compared'
    const { hash, reached } = this.#options.held
    return { type: 'resume', version: WIRE_VERSION, dataPlane, ...reached, hash }
  }

  async take(heard: Heard): Promise<Reply> {
    if (heard.kind === 'unreadable') return this.#unreadable(heard.because)
    const { frame, bytes } = heard
    if (frame.type === 'hello') return this.#greet(frame)
    return this.#hello === null ? broken('it did not say hello') : this.#dispatch(frame, bytes)
  }

  #dispatch(
    frame: Exclude<DownFrame, { readonly type: 'hello' }>,
    bytes: number,
  ): Reply | Promise<Reply> {
    switch (frame.type) {
      case 'begin':
        return this.#begin(frame)
      case 'put':
      case 'drop':
        return this.#collect(frame, bytes)
      case 'endpoints':
        return this.#endpoints(frame.set)
      case 'commit':
        return this.#commit(frame)
      case 'ping':
        return this.#compare(frame)
      default:
        return frame satisfies never
    }
  }

  #greet(hello: DownFrame & { readonly type: 'hello' }): Reply {
    if (this.#hello !== null) return broken('it said hello twice')
    if (hello.version < 1 || hello.version > WIRE_VERSION) {
      return broken(`it speaks version ${hello.version} of the wire`)
    }
    const type = behind(hello, this.#options.held.reached)
    if (type !== null) return stale(type)
    this.#hello = hello
    this.#options.endpoints.restart(hello.controller)
    this.#options.on.hello(hello)
    return NOTHING
  }

  #begin({ from }: DownFrame & { readonly type: 'begin' }): Reply {
    if (this.#pending !== null) return broken('it began a push within a push')
    if (from.kind === 'delta' && from.hash !== this.#options.held.hash) {
      return broken('it began from a table that does not run here')
    }
    this.#pending = {
      from: from.kind,
      puts: new Map(),
      drops: new Map(),
      sets: [],
      bytes: 0,
      fault: null,
    }
    return NOTHING
  }

  #collect(frame: DownFrame & { readonly type: 'put' | 'drop' }, bytes: number): Reply {
    const pending = this.#pending
    if (pending === null) return broken(`it sent a ${frame.type} outside of a push`)
    if (pending.fault !== null) return NOTHING
    pending.bytes += bytes
    if (pending.bytes > TABLE_BYTES_MAX) {
      pending.fault = `it is longer than ${TABLE_BYTES_MAX} bytes`
      pending.puts.clear() // nothing of it is needed any more, and more of it may come
      return NOTHING
    }
    const { kind, key } = frame.type === 'put' ? frame.object : frame
    const id = objectId(kind, key)
    if (pending.puts.has(id) || pending.drops.has(id)) {
      pending.fault = `it names ${kind} "${key}" twice`
    } else if (frame.type === 'drop') {
      pending.drops.set(id, { kind, key })
    } else if (digestOf(frame.object) === frame.object.digest) {
      pending.puts.set(id, frame.object)
    } else pending.fault = `the digest of ${kind} "${key}" does not fit its value`
    return NOTHING
  }

  #unreadable(because: string): Reply {
    if (this.#pending === null) return broken(`it sent a frame that ${because}`)
    this.#pending.fault ??= `it has a frame that ${because}`
    return NOTHING
  }

  #endpoints(set: EndpointSet): Reply {
    const { endpoints, workers, on } = this.#options
    if (this.#pending !== null) {
      this.#pending.sets.push(set)
      return NOTHING
    }
    if (endpoints.brought(set.backend) === 'no') {
      return broken(`it sent endpoints of backend "${set.backend}", which no commit has named`)
    }
    const news = endpoints.news([set])
    endpoints.accept([set])
    if (news.length === 0) return NOTHING
    workers.endpoints(news)
    on.endpoints()
    return NOTHING
  }

  async #commit(commit: DownFrame & { readonly type: 'commit' }): Promise<Reply> {
    const { held } = this.#options
    const pending = this.#pending
    if (pending === null || this.#hello === null) return broken('it sent a commit without a push')
    this.#pending = null
    const reached = { epoch: this.#hello.epoch, basis: commit.basis }
    const type = behind(reached, held.reached)
    if (type !== null) return stale(type)
    if (pending.fault !== null) return this.#refuse(commit.hash, pending, pending.fault)
    const planned = held.plan({ ...pending, hash: commit.hash })
    if (planned.kind === 'refused') return this.#refuse(commit.hash, pending, planned.because)
    const because = this.#misfit(planned.change, pending)
    if (because !== null) return this.#refuse(commit.hash, pending, because)
    return this.#swap(planned.change, pending, commit.basis)
  }

  /** What only this stream can tell of a change; null: nothing is wrong. */
  #misfit(change: TableChange, pending: Pending): string | null {
    const brought = new Set(pending.sets.map((set) => set.backend))
    const named = pending.from === 'snapshot' ? pending.puts.values() : change.puts
    for (const object of named) {
      if (object.kind === 'gateway' && object.key !== this.#hello?.gateway) {
        return `it is the table of gateway "${object.key}"`
      }
      if (object.kind !== 'backend' || brought.has(object.key)) continue
      if (this.#options.endpoints.brought(object.key) === 'no') {
        return `the endpoints of backend "${object.key}" did not come before it`
      }
    }
    return null
  }

  async #swap(change: TableChange, { sets }: Pending, basis: Basis): Promise<Reply> {
    const { held, endpoints, workers, log, on } = this.#options
    const reached = { epoch: this.#hello?.epoch ?? '0', basis }
    const news = endpoints.news(sets)
    let rejected = held.rejected
    try {
      if (news.length > 0) workers.endpoints(news)
      const unchanged = change.hash === held.hash
      if (!unchanged) rejected = await workers.swap(change)
    } catch (error) {
      log.error(
        { error: String(error), hash: change.hash },
        'bug: the workers could not swap the table',
      )
      return this.#refuse(change.hash, { sets }, 'a worker failed while it swapped the table')
    }
    endpoints.accept(sets)
    endpoints.drop(change.drops.filter(({ kind }) => kind === 'backend').map(({ key }) => key))
    held.commit(change, { reached, rejected })
    this.#pings = 'compared'
    on.committed(change)
    return {
      kind: 'say',
      frame: { type: 'ack', basis, hash: change.hash, rejected: trimmed(rejected) },
    }
  }

  #refuse(hash: string, { sets }: Pick<Pending, 'sets'>, because: string): Reply {
    const { endpoints, workers, log, on } = this.#options
    // Endpoints are in force whatever the commit: those of backends that it brings go with it.
    const known = sets.filter(({ backend }) => endpoints.brought(backend) === 'yes')
    const news = endpoints.news(known)
    endpoints.accept(known)
    if (news.length > 0) workers.endpoints(news)
    this.#pings = 'ignored'
    log.error({ hash, because }, 'a table was refused; the one before it goes on')
    on.refused()
    return {
      kind: 'say',
      frame: { type: 'refuse', hash, reason: because.slice(0, REASON_CHARACTERS_MAX) },
    }
  }

  #compare({ hash, endpointsHash }: DownFrame & { readonly type: 'ping' }): Reply {
    const { held, endpoints } = this.#options
    if (this.#pending !== null) return broken('it sent a ping within a push')
    if (this.#pings === 'ignored') return NOTHING
    if (hash !== (held.hash ?? EMPTY_HASH)) return broken('its table is not the one that runs here')
    if (endpointsHash !== endpoints.streamHash) return broken('its endpoints are not those here')
    return NOTHING
  }
}

function broken(because: string): Reply {
  return { kind: 'end', because, next: 'anew' }
}

function stale(type: string): Reply {
  return { kind: 'end', because: `it is behind in ${type}`, next: 'elsewhere' }
}

const REASON_CHARACTERS_MAX = 512
const SOURCES_MAX = 4

/** Little enough for one frame, whatever was rejected: the first ones tell the story. */
function trimmed(rejected: readonly Rejection[]): readonly Rejection[] {
  return rejected.slice(0, REJECTIONS_MAX).map((one) => ({
    ...one,
    reason: one.reason.slice(0, REASON_CHARACTERS_MAX),
    sources: one.sources.slice(0, SOURCES_MAX),
  }))
}
