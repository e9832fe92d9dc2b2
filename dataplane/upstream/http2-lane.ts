/**
 * HTTP/2 to one endpoint, on node:http2: requests share a connection for as long as its peer lets
 * them, and get another one beyond that. A request begins when the peer's settings are known, so that
 * one that cannot be connected has sent and consumed nothing.
 * Pinned by http2-lane.test.ts: "what does not fit into a connection gets another one".
 */
import { type ClientSessionOptions, type ClientHttp2Session, connect } from 'node:http2'
import { connect as netConnect } from 'node:net'
import { HEADER_BYTES_MAX, HEADERS_MAX } from '#wire/limits'
import type { Endpoint } from '#wire/session'
import { fail } from '../request/failure.ts'
import { CONNECTIONS_MAX, endpointKey, refuseNames, WAITING_MAX } from './endpoint.ts'
import { DETAILS } from './failures.ts'
import { Http2Attempt } from './http2-attempt.ts'
import type { Attempt, AttemptEvents, Lane } from './lane.ts'
import type { UpstreamRequest } from './upstream.ts'

/** Most servers say so themselves; of one that sets no bound no more than this is asked. */
const STREAMS_MAX = 100

/** A peer that goes without a word is noticed by the next request; one that says so, at once. */
const IDLE_MS = 60_000

/** After it others try anew; who waits here gives up by his own rule. */
const LATE_MS = 2_000
/** Whoever has not answered by then is not there. */
const CONNECT_MS_MAX = 30_000

/** Of node:http2, and not in its types yet. */
interface LibraryOptions {
  readonly strictSingleValueFields: boolean
}

export class Http2Lane implements Lane, ConnectionOwner {
  readonly times = 'unkept'
  readonly #endpoint: Endpoint
  readonly #connections = new Set<Http2Connection>()
  readonly #connectionsMax: number
  /** For a stream to end, where there can be no more connections. */
  #waiting: Http2Attempt[] = []
  #mode: 'open' | 'draining' = 'open'

  constructor(endpoint: Endpoint, connectionsMax = CONNECTIONS_MAX) {
    this.#endpoint = endpoint
    this.#connectionsMax = connectionsMax
  }

  dispatch(request: UpstreamRequest, events: AttemptEvents): Attempt {
    const attempt = new Http2Attempt(request, events)
    // No event may come before the attempt is known to whoever asked for it.
    queueMicrotask(() => this.place(attempt))
    return attempt
  }

  place(attempt: Http2Attempt): void {
    if (attempt.wanted === 'no') return
    if (this.#mode === 'draining') return refuse(attempt)
    const connection = this.#withRoom()
    if (connection !== null) return connection.carry(attempt)
    this.#waiting = this.#waiting.filter(({ wanted }) => wanted === 'yes')
    if (this.#waiting.length < WAITING_MAX) this.#waiting.push(attempt)
    else attempt.fail(fail('overloaded', DETAILS.crowded))
  }

  #withRoom(): Http2Connection | null {
    for (const connection of this.#connections) if (connection.room > 0) return connection
    if (this.#connections.size >= this.#connectionsMax) return null
    const connection = new Http2Connection(this.#endpoint, this)
    this.#connections.add(connection)
    return connection
  }

  gone(connection: Http2Connection): void {
    this.#connections.delete(connection)
    this.#next()
  }

  freed(connection: Http2Connection): void {
    if (this.#mode === 'draining' && connection.isIdle) connection.leave()
    this.#next()
  }

  #next(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (next.wanted === 'no') continue
      const connection = this.#withRoom()
      if (connection === null) return void this.#waiting.unshift(next)
      connection.carry(next)
    }
  }

  drain(): void {
    this.#stop()
    for (const connection of this.#connections) connection.leave()
  }

  /** Who waits has sent nothing: another endpoint may take it. */
  #stop(): void {
    this.#mode = 'draining'
    const waiting = this.#waiting
    this.#waiting = []
    waiting.forEach(refuse)
  }

  async destroy(): Promise<void> {
    this.#stop()
    await Promise.all([...this.#connections].map((connection) => connection.destroy()))
  }
}

function refuse(attempt: Http2Attempt): void {
  attempt.fail(fail('upstream-connect', DETAILS.connect))
}

interface ConnectionOwner {
  /** Somewhere else: there is no room for it here. */
  place(attempt: Http2Attempt): void
  gone(connection: Http2Connection): void
  /** One of its streams has ended. */
  freed(connection: Http2Connection): void
}

class Http2Connection {
  readonly #owner: ConnectionOwner
  readonly #session: ClientHttp2Session
  readonly #ended: Promise<void>
  #waiting: Http2Attempt[] = []
  #state: 'connecting' | 'late' | 'open' | 'leaving' = 'connecting'
  readonly #patience: readonly NodeJS.Timeout[]
  #streams = 0
  #served = 0

  constructor(endpoint: Endpoint, owner: ConnectionOwner) {
    const { address: host, port } = endpoint
    this.#owner = owner
    const options: ClientSessionOptions & LibraryOptions = {
      createConnection: () => netConnect({ host, port, noDelay: true, lookup: refuseNames }),
      settings: { enablePush: false, maxHeaderListSize: 2 * HEADER_BYTES_MAX },
      maxHeaderListPairs: HEADERS_MAX + 8,
      strictFieldWhitespaceValidation: true,
      // A client may say a field twice: whether that means anything is for the backend to judge.
      strictSingleValueFields: false,
    }
    this.#session = connect(`http://${endpointKey(endpoint)}`, options)
    const session = this.#session
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#ended = promise
    session.on('remoteSettings', () => this.#opened())
    session.on('goaway', () => this.leave())
    session.on('timeout', () => {
      if (this.isIdle) this.leave()
    })
    session.setTimeout(IDLE_MS)
    this.#patience = [
      setTimeout(() => {
        this.#state = 'late'
      }, LATE_MS),
      setTimeout(() => session.destroy(), CONNECT_MS_MAX),
    ]
    // Each stream tells its own end.
    session.on('error', () => undefined)
    session.on('close', () => {
      this.#closed()
      resolve()
    })
  }

  /** Until the peer's settings are known, as many as it is likely to let pass. */
  get room(): number {
    if (this.#state === 'leaving' || this.#state === 'late') return 0
    if (this.#session.closed || this.#session.destroyed) return 0
    const peers = this.#session.remoteSettings.maxConcurrentStreams ?? STREAMS_MAX
    return Math.min(peers, STREAMS_MAX) - this.#streams - this.#waiting.length
  }

  get isIdle(): boolean {
    return this.#streams === 0
  }

  carry(attempt: Http2Attempt): void {
    if (!this.#isConnecting()) return this.#begin(attempt)
    // Who has given up meanwhile takes no room.
    this.#waiting = this.#waiting.filter(({ wanted }) => wanted === 'yes')
    this.#waiting.push(attempt)
  }

  /** Also called when a peer changes its settings. */
  #opened(): void {
    if (!this.#isConnecting()) return
    this.#state = 'open'
    this.#patience.forEach(clearTimeout)
    const waiting = this.#waiting
    this.#waiting = []
    // It takes nobody, and the next connection would be told the same.
    if (this.room <= 0) {
      this.leave()
      return waiting.forEach(refuse)
    }
    for (const attempt of waiting) {
      if (this.room > 0) this.carry(attempt)
      else this.#owner.place(attempt)
    }
  }

  #begin(attempt: Http2Attempt): void {
    if (attempt.wanted === 'no') return
    const stream = attempt.begin(this.#session, this.#served === 0 ? 'fresh' : 'reused')
    if (stream === null) return
    this.#served++
    this.#streams++
    stream.on('close', () => {
      this.#streams--
      this.#owner.freed(this)
    })
  }

  /** Takes nothing new, and closes when what it carries has ended. */
  leave(): void {
    if (this.#isConnecting() && this.#waiting.length > 0) return
    this.#state = 'leaving'
    this.#owner.gone(this)
    this.#session.close()
  }

  async destroy(): Promise<void> {
    this.#session.destroy()
    await this.#ended
  }

  #isConnecting(): boolean {
    return this.#state === 'connecting' || this.#state === 'late'
  }

  #closed(): void {
    this.#state = 'leaving'
    this.#patience.forEach(clearTimeout)
    this.#owner.gone(this)
    const waiting = this.#waiting
    this.#waiting = []
    waiting.forEach(refuse)
  }
}
