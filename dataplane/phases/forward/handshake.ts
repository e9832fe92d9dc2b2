/**
 * The offer to switch protocols, as a backend over HTTP/1.1 gets it. Over HTTP/1.1 it is the client's
 * own; over HTTP/2 a WebSocket has no key (RFC 8441 section 5), so that the gateway makes one and
 * proves by it that the backend has understood (RFC 6455 section 4.1).
 * Pinned by handshake.test.ts: "a backend that does not prove that it has understood is not one".
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Exchange } from '../../request/exchange.ts'
import { type Failure, fail } from '../../request/failure.ts'
import { headerLines, withoutHeader } from '../../request/headers.ts'
import type { Outcome } from '../../request/outcome.ts'
import type { UpstreamHead, UpstreamRequest } from '../../upstream/upstream.ts'

export interface Handshake {
  offered(request: UpstreamRequest): UpstreamRequest
  /** Null: the answer may pass. Whoever has switched wrongly is given up. */
  whyNot(head: UpstreamHead): Failure | null
  /** Headers of a 101 as the client gets them. */
  answered(headers: readonly string[]): readonly string[]
}

export function handshakeOf(upgrade: string, { protocol }: Exchange): Handshake {
  return protocol === '2' ? new OwnHandshake(upgrade) : new ClientsHandshake(upgrade)
}

/** The client has made the key, and looks at the proof. */
class ClientsHandshake implements Handshake {
  readonly #upgrade: string
  constructor(upgrade: string) {
    this.#upgrade = upgrade
  }
  offered(request: UpstreamRequest): UpstreamRequest {
    return { ...request, upgrade: this.#upgrade }
  }
  whyNot(): null {
    return null
  }
  answered(headers: readonly string[]): readonly string[] {
    return headers
  }
}

const KEY = 'sec-websocket-key'
const PROOF = 'sec-websocket-accept'
/** RFC 6455 section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const INVALID = fail('upstream-invalid', 'The backend has not accepted the WebSocket.')

const NOBODY = fail('upgrade-refused', 'What answers here speaks no WebSocket.')

/** RFC 8441 section 5: over HTTP/2 any 2xx would say that the WebSocket is open. */
export function notMistaken(outcome: Outcome, { upgrade, protocol }: Exchange): Outcome {
  if (upgrade === null || protocol !== '2' || outcome.kind !== 'respond') return outcome
  const { status, body } = outcome
  if (body.kind === 'tunnel' || status < 200 || status > 299) return outcome
  if (body.kind === 'stream') body.stream.abort()
  return NOBODY
}

class OwnHandshake implements Handshake {
  readonly #upgrade: string
  readonly #key = randomBytes(16).toString('base64')

  constructor(upgrade: string) {
    this.#upgrade = upgrade
  }

  offered(request: UpstreamRequest): UpstreamRequest {
    const headers = [...withoutHeader(request.headers, KEY), KEY, this.#key]
    return { ...request, headers, upgrade: this.#upgrade }
  }

  whyNot({ headers, tunnel }: UpstreamHead): Failure | null {
    if (tunnel === undefined) return null
    const proof = createHash('sha1').update(`${this.#key}${GUID}`).digest('base64')
    const lines = headerLines(headers, PROOF)
    if (lines.length === 1 && lines[0] === proof) return null
    tunnel.abort(INVALID)
    return INVALID
  }

  answered(headers: readonly string[]): readonly string[] {
    return withoutHeader(headers, PROOF)
  }
}
