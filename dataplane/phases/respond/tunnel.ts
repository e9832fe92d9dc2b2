/**
 * Joins the two ends of a switched connection and counts what passes; the exchange lives as long as
 * either way is open, so that its limits are held and its one record holds all of it. The end of the
 * way that is open last is left to finish, after the record.
 * Pinned by tunnel.test.ts: "a tunnel is one exchange, recorded when both ways have ended".
 */
import type { Exchange } from '../../request/exchange.ts'
import { type Failure, fail } from '../../request/failure.ts'
import { Later } from '../../request/later.ts'
import type { Tunnel, TunnelSide } from '../../request/tunnel.ts'
import { BROKEN, type Ending } from './ending.ts'
import type { Head } from './head.ts'

/** Nobody sees it: the backend's connection is closed without a word. */
export const GIVEN_UP = fail('client-closed', 'The client left before the answer.')
const LEFT = fail('client-closed', 'The client closed the connection.')
const TOO_EARLY = fail('upgrade-refused', 'Bytes came before the switch was agreed to.')

/** The head was not sent yet; a failure where it was not to be. */
export function tunnelled(tunnel: Tunnel, head: Head, exchange: Exchange): Later<Ending> | Failure {
  const ending = new Later<Ending>()
  const passage = new Passage(tunnel, exchange, ending)
  const client = exchange.answer.openTunnel(head.headers, passage.toBackend)
  if (client === null) {
    tunnel.abort(TOO_EARLY)
    return TOO_EARLY
  }
  exchange.status = head.status
  passage.open(client)
  return ending
}

class Passage {
  readonly toBackend: TunnelSide
  readonly #tunnel: Tunnel
  readonly #exchange: Exchange
  readonly #ending: Later<Ending>
  #state: 'running' | 'over' = 'running'
  /** Whose bytes have come to their end. */
  #ended: 'neither' | 'client' | 'backend' = 'neither'

  constructor(tunnel: Tunnel, exchange: Exchange, ending: Later<Ending>) {
    this.#tunnel = tunnel
    this.#exchange = exchange
    this.#ending = ending
    this.toBackend = {
      data: (chunk) => {
        if (this.#state === 'running') exchange.bytesIn += chunk.length
        return tunnel.data(chunk)
      },
      end: () => this.#clientEnded(),
      resume: () => tunnel.resume(),
      abort: (failure) => this.#left(failure),
    }
  }

  open(client: TunnelSide): void {
    const { answer } = this.#exchange
    answer.onDrain(() => this.#tunnel.resume())
    this.#tunnel.open(this.#toClient(client))
    answer.onAbort(() => this.#left(LEFT))
  }

  #toClient(client: TunnelSide): TunnelSide {
    return {
      data: (chunk) => {
        if (this.#state === 'over') return 'more'
        this.#exchange.bytesOut += chunk.length
        return client.data(chunk)
      },
      end: () => this.#backendEnded(client),
      resume: () => client.resume(),
      abort: (failure) => this.#break(failure),
    }
  }

  #clientEnded(): void {
    if (this.#state === 'over' || this.#ended === 'client') return
    this.#tunnel.end()
    if (this.#ended === 'backend') return this.#settle(WHOLE)
    this.#ended = 'client'
  }

  #backendEnded(client: TunnelSide): void {
    if (this.#state === 'over' || this.#ended === 'backend') return
    // What ends the exchange waits for its record: finish says it.
    if (this.#ended === 'client') return this.#settle(WHOLE)
    this.#ended = 'backend'
    client.end()
  }

  #left(failure: Failure): void {
    if (this.#state === 'over') return
    this.#break(failure)
    this.#tunnel.abort(failure)
  }

  #break(failure: Failure): void {
    if (this.#state === 'over') return
    this.#exchange.broken = failure
    this.#settle(BROKEN)
  }

  #settle(ending: Ending): void {
    this.#state = 'over'
    this.#ending.settle(ending)
  }
}

const WHOLE: Ending = { kind: 'last', chunk: null, trailers: null }
