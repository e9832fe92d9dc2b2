/**
 * The connections of one worker to one endpoint. A pool of undici clients, each of which knows
 * whether its connection has served before: only then may a reset mean that the upstream had closed
 * an idle connection and never saw the request.
 * Pinned by undici-failures.test.ts: "a pool survives requests that the client library refuses".
 */
import { Client, type Dispatcher, Pool } from 'undici'
import type { Backend } from '#wire/table'
import { HEADER_BYTES_MAX } from '#wire/limits'
import type { Endpoint } from '#wire/session'
import { UndiciAttempt } from './attempt.ts'
import { BodyStream } from './body-stream.ts'
import { CONNECTIONS_MAX, endpointKey, refuseNames } from './endpoint.ts'
import type { Attempt, AttemptEvents, Lane } from './lane.ts'
import { requestHead } from './request-head.ts'
import type { UpstreamRequest } from './upstream.ts'

/** Longer than any healthy handshake inside a cluster, and short enough to try a second pod. */
const CONNECT_TIMEOUT_MS = 2_000

/** Node, uvicorn and others close idle connections after 5 s without saying so. */
const IDLE_MS = 4_000
/** Where the upstream does say so, up to this. */
const IDLE_MS_MAX = 60_000

/** undici calls the handler of a request; ours wants to know the client that carries it. */
export interface Carried extends Dispatcher.DispatchHandler {
  carrier: Carrier | null
}

/** A client that counts what its connection of the moment has carried. */
export class Carrier extends Client {
  #served = 0

  constructor(origin: URL, options: Client.Options) {
    super(origin, options)
    this.on('connect', () => {
      this.#served = 0
    })
  }

  /** Called once by each request when it is written: was the connection fresh? */
  takeTurn(): 'fresh' | 'reused' {
    this.#served++
    return this.#served === 1 ? 'fresh' : 'reused'
  }

  override dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    if (isCarried(handler)) handler.carrier = this
    return super.dispatch(options, handler)
  }
}

function isCarried(handler: Dispatcher.DispatchHandler): handler is Carried {
  return 'carrier' in handler
}

export class UndiciLane implements Lane {
  readonly times = 'unkept'
  readonly #pool: Pool

  constructor(endpoint: Endpoint, protocol: Backend['protocol']) {
    this.#pool = new Pool(`http://${endpointKey(endpoint)}`, {
      factory: (origin: URL, options: object) => new Carrier(origin, options),
      connections: CONNECTIONS_MAX,
      allowH2: protocol === 'h2c',
      ...(protocol === 'h2c' ? { useH2c: true } : {}),
      connect: { timeout: CONNECT_TIMEOUT_MS, lookup: refuseNames },
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS_MAX,
      // Deadlines are our own, exact to 10 ms; these would cost a timer each.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: 2 * HEADER_BYTES_MAX,
    })
  }

  dispatch(request: UpstreamRequest, events: AttemptEvents): Attempt {
    const { method, target, body } = request
    const isStream = body !== null && !Buffer.isBuffer(body) && !body.empty
    const stream = isStream ? new BodyStream(body) : null
    const attempt = new UndiciAttempt(events, method, stream)
    this.#pool.dispatch(
      {
        path: target,
        method,
        headers: requestHead(request),
        body: stream ?? (Buffer.isBuffer(body) ? body : null),
      },
      attempt,
    )
    return attempt.dispatched()
  }

  drain(): void {
    this.#pool.close().catch(() => undefined)
  }

  async destroy(): Promise<void> {
    await this.#pool.destroy()
  }
}
