/**
 * Our own connections to one endpoint that speaks plain HTTP/1.1. The one that was used last is used
 * first, so that what is not needed grows idle and closes; one request at a time on each.
 * Pinned by lane.test.ts: "connections are bounded, and who waits gets the first that is free".
 */
import type { Endpoint } from '#wire/session'
import { fail } from '../request/failure.ts'
import type { Deadlines } from './deadlines.ts'
import { DETAILS } from './failures.ts'
import { type AttemptCarrier, Http1Attempt } from './http1-attempt.ts'
import { type ConnectionHome, Http1Connection } from './http1-connection.ts'
import type { Attempt, AttemptEvents, Lane } from './lane.ts'
import { CONNECTIONS_MAX, WAITING_MAX } from './endpoint.ts'
import { requestText } from './request-text.ts'
import type { UpstreamRequest } from './upstream.ts'

export interface Http1LaneOptions {
  /** Milliseconds of process.hrtime. */
  readonly now: () => number
  readonly deadlines: Deadlines
  /** Shared by all lanes of a thread. */
  readonly readBuffer: Buffer
  readonly connectionsMax?: number
}

export class Http1Lane implements Lane, ConnectionHome, AttemptCarrier {
  readonly times = 'kept'
  readonly now: () => number
  readonly deadlines: Deadlines
  readonly readBuffer: Buffer
  readonly #endpoint: Endpoint
  readonly #connectionsMax: number
  readonly #all = new Set<Http1Connection>()
  readonly #idle: Http1Connection[] = []
  readonly #waiting: Http1Attempt[] = []
  #state: 'open' | 'draining' = 'open'

  constructor(endpoint: Endpoint, options: Http1LaneOptions) {
    this.#endpoint = endpoint
    this.now = options.now
    this.deadlines = options.deadlines
    this.readBuffer = options.readBuffer
    this.#connectionsMax = options.connectionsMax ?? CONNECTIONS_MAX
  }

  dispatch(request: UpstreamRequest, events: AttemptEvents): Attempt {
    const text = requestText(request)
    const attempt = new Http1Attempt(request, text ?? '', events)
    if (text === null) failLater(attempt, 'bug')
    else if (this.#state === 'draining') failLater(attempt, 'upstream-connect')
    else this.#place(attempt)
    return attempt
  }

  #place(attempt: Http1Attempt): void {
    const connection = this.#idle.pop()
    if (connection !== undefined) return connection.carry(attempt)
    if (this.#all.size < this.#connectionsMax) return this.#connect(attempt)
    if (this.#waiting.length >= WAITING_MAX) return failLater(attempt, 'overloaded')
    attempt.carrier = this
    this.#waiting.push(attempt)
  }

  #connect(attempt: Http1Attempt): void {
    this.#all.add(new Http1Connection(this.#endpoint, this, attempt))
  }

  // ---- told by connections ---------------------------------------------------------------------

  free(connection: Http1Connection): void {
    const next = this.#waiting.shift()
    if (next !== undefined) connection.carry(next)
    else if (this.#state === 'draining') connection.close()
    else this.#idle.push(connection)
  }

  gone(connection: Http1Connection): void {
    this.#all.delete(connection)
    const at = this.#idle.lastIndexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
    if (this.#all.size >= this.#connectionsMax) return
    const next = this.#waiting.shift()
    if (next !== undefined) this.#connect(next)
  }

  // ---- told by attempts that wait --------------------------------------------------------------

  resume(): void {}

  giveUp(attempt: Http1Attempt): void {
    const at = this.#waiting.indexOf(attempt)
    if (at >= 0) this.#waiting.splice(at, 1)
  }

  // ---- the end ---------------------------------------------------------------------------------

  drain(): void {
    this.#state = 'draining'
    for (const connection of this.#idle.splice(0)) connection.close()
  }

  destroy(): Promise<void> {
    this.drain()
    for (const attempt of this.#waiting.splice(0)) failLater(attempt, 'upstream-connect')
    for (const connection of this.#all) connection.cut()
    return Promise.resolve()
  }
}

const SENTENCES = {
  bug: DETAILS.bug,
  overloaded: DETAILS.crowded,
  'upstream-connect': DETAILS.connect,
} as const

/** Nothing is said before dispatch has returned. */
function failLater(attempt: Http1Attempt, cause: keyof typeof SENTENCES): void {
  queueMicrotask(() => attempt.failed(fail(cause, SENTENCES[cause])))
}
