/**
 * HTTP/1 of the clients, on our own codec: every request becomes an exchange, also one that is
 * refused and one that cannot even be parsed. The first step of a request's walk.
 * Pinned by http1.test.ts: "what is refused is answered, recorded once, and closed".
 */
import type { Socket } from 'node:net'
import { PARSE_FAILURES, type ParseFailure } from '../http1/failure.ts'
import type { Head } from '../http1/message.ts'
import { type Exchange, newExchange, type Received } from '../request/exchange.ts'
import { type Failure, fail } from '../request/failure.ts'
import type { TrustedProxies } from '../runtime/runtime.ts'
import type { TlsHosts } from '../runtime/tls-hosts.ts'
import {
  Connection,
  type ConnectionBounds,
  type ConnectionFront,
  type ConnectionOwner,
} from './connection.ts'
import { forwardedClient } from './forwarded.ts'
import { Http1Answer } from './http1-answer.ts'
import { EMPTY_BODY, Http1Body } from './http1-body.ts'
import { type Arrival, misdirected } from './misdirected.ts'
import type { PlaceBounds } from './places.ts'
import { readRequestHead, type RequestHead } from './request-head.ts'

/** Longer than the idle timeout of load balancers before us (60 s), so that they close first. */
export const IDLE_MS = 75_000

/** Of a refused target, for the log. */
const SHOWN_MAX = 1024

export interface FrontBounds extends ConnectionBounds, PlaceBounds {
  readonly headCheckEveryMs: number
}
export const BOUNDS: FrontBounds = {
  // A head that takes longer is a slow client's or an attacker's.
  headMs: 10_000,
  headCheckEveryMs: 500,
  // As other servers have it: an upload may last, as long as it comes.
  bodyIdleMs: 60_000,
  idleMs: IDLE_MS,
  // As other servers have it: who reads at all takes a piece of the socket's buffer in it.
  stalledMs: 60_000,
  // So that connections that never end move to other workers and replicas from time to time.
  requestsMax: 10_000,
  connectionsMax: 16_384,
  connectionsPerAddressMax: 4_096,
}

/** What the front asks of the worker that it runs in. */
export interface FrontOwner extends ConnectionOwner {
  /** Milliseconds since 1970. */
  readonly wallClock: () => number
  /** Called after wallClock. */
  readonly newId: () => string
  /** Of the table that runs now. */
  trustedProxies(): TrustedProxies | null
  /** A connection was closed unanswered, because there are too many. */
  refused(): void
  /** Likewise. */
  tls(): TlsHosts | null
  /** Answers and records it; never throws. */
  serve(exchange: Exchange): void
}

export interface ListenOptions {
  readonly host: string
  readonly port: number
  readonly reusePort: boolean
}

export class Http1Front implements ConnectionFront {
  readonly bounds: FrontBounds
  readonly #owner: FrontOwner
  readonly #connections = new Set<Connection>()
  readonly #sweep: NodeJS.Timeout
  #sweptMs: number
  #dateLine: string
  #mode: 'serving' | 'draining' = 'serving'

  constructor(owner: FrontOwner, bounds: FrontBounds = BOUNDS) {
    this.#owner = owner
    this.bounds = bounds
    this.#sweptMs = owner.now()
    this.#dateLine = dateLineOf(owner.wallClock())
    this.#sweep = setInterval(() => this.#sweepAll(), bounds.headCheckEveryMs)
    this.#sweep.unref()
  }

  // ---- state that draining needs -------------------------------------------------------------

  get connections(): readonly Connection[] {
    return [...this.#connections]
  }

  /** From now on every answer is the last of its connection. */
  closeAfterAnswers(): void {
    this.#mode = 'draining'
    for (const connection of this.#connections) {
      if (connection.mode === 'open') connection.mode = 'last'
    }
  }

  destroy(): void {
    clearInterval(this.#sweep)
    for (const connection of this.#connections) connection.destroy()
  }

  get sweptMs(): number {
    return this.#sweptMs
  }

  /** RFC 9110 section 6.6.1. */
  dateLine(): string {
    return this.#dateLine
  }

  #sweepAll(): void {
    const nowMs = this.#owner.now()
    this.#sweptMs = nowMs
    this.#dateLine = dateLineOf(this.#owner.wallClock())
    for (const connection of this.#connections) connection.sweep(nowMs)
  }

  // ---- connections ---------------------------------------------------------------------------

  /** A connection of any listener, with nothing read from it that is not put back. */
  accept(socket: Socket, arrival: Arrival): void {
    const connection = new Connection(socket, arrival, this.#owner, this)
    if (this.#mode === 'draining') connection.mode = 'last'
    this.#connections.add(connection)
    socket.once('close', () => this.#connections.delete(connection))
  }

  // ---- bytes become exchanges ----------------------------------------------------------------

  request(connection: Connection, head: Head): void {
    const { method, target, version, fields } = head
    const read = readRequestHead({
      method,
      target,
      protocol: version,
      headers: fields,
      scheme: connection.direct.scheme,
      lastHost: connection.lastHost,
      upgrade: head.upgrade,
    })
    const body =
      head.body === 'none' ? null : new Http1Body(connection, head.bytesDeclared, read.expects)
    // Whoever offers to switch may have begun to speak otherwise: nothing after it is a request.
    const goesOn = read.refusal === null && read.upgrade === null
    const persistence = goesOn ? head.persistence : 'close'
    const answer = new Http1Answer(connection, { method, version, persistence, body })
    connection.began(answer, body)
    this.#owner.serve(newExchange(this.#received(connection, head, { read, body, answer })))
  }

  #received(connection: Connection, head: Head, parts: Parts): Received {
    const { peer, direct } = connection
    const { read, body, answer } = parts
    const trusted = this.#owner.trustedProxies()
    const trust = trusted?.trust(peer) ?? 'untrusted'
    const client =
      trusted === null || trust === 'untrusted'
        ? direct
        : forwardedClient(head.fields, direct, trusted)
    return {
      startedAtMs: this.#owner.wallClock(),
      id: this.#owner.newId(),
      startedMs: this.#owner.now(),
      peer,
      protocol: head.version,
      method: head.method,
      scheme: client.scheme,
      host: read.host,
      path: read.path,
      query: read.query,
      headers: head.fields,
      ip: client.ip,
      peerTrust: trust,
      upgrade: read.upgrade,
      body: body ?? EMPTY_BODY,
      answer,
      refusal: read.refusal ?? misdirected(connection.arrival, read.host, this.#owner.tls()),
    }
  }

  /** What was not read to its end has no headers and no host for the log. */
  refuse(connection: Connection, why: ParseFailure | 'too-slow'): void {
    const { method, target, version } = connection.parser.first
    connection.parser.stop()
    const asked = { method, version, persistence: 'close', body: null } as const
    const answer = new Http1Answer(connection, asked)
    connection.began(answer, null)
    this.#owner.serve(
      newExchange({
        startedAtMs: this.#owner.wallClock(),
        id: this.#owner.newId(),
        startedMs: this.#owner.now(),
        peer: connection.peer,
        protocol: version,
        method,
        scheme: connection.direct.scheme,
        host: '',
        path: target.slice(0, SHOWN_MAX),
        query: null,
        headers: [],
        ip: connection.peer,
        peerTrust: 'untrusted',
        upgrade: null,
        body: EMPTY_BODY,
        answer,
        refusal: failureOf(why),
      }),
    )
  }
}

interface Parts {
  readonly read: RequestHead
  readonly body: Http1Body | null
  readonly answer: Http1Answer
}

function dateLineOf(wallMs: number): string {
  return `date: ${new Date(wallMs).toUTCString()}\r\n`
}

function failureOf(why: ParseFailure | 'too-slow'): Failure {
  if (why === 'too-slow') {
    return fail('request-timeout', 'The head of the request took too long.')
  }
  const { status, because } = PARSE_FAILURES[why]
  switch (status) {
    case 400:
      return fail('bad-request', because)
    case 414:
      return fail('target-too-long', because)
    case 431:
      return fail('headers-too-large', because)
    case 501:
      return fail('not-implemented', because)
    case 505:
      return fail('version-not-supported', because)
    default:
      return status satisfies never
  }
}
