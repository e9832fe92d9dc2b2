/**
 * HTTP/2 of the clients on node:http2: every stream becomes an exchange, also one that is refused.
 * What the library refuses by itself (RFC 9113 section 8.1.1: malformed) is reset and never becomes
 * one. Sessions come from a listener that has seen by ALPN or by the preface what is spoken.
 * Pinned by http2.test.ts: "a request over HTTP/2 is the same exchange as over HTTP/1".
 */
import {
  constants,
  performServerHandshake,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2'
import type { Socket } from 'node:net'
import { newExchange, type RequestBody } from '../request/exchange.ts'
import { forwardedClient } from './forwarded.ts'
import { Http2Answer } from './http2-answer.ts'
import { Http2Body } from './http2-body.ts'
import { Http2Connection } from './http2-connection.ts'
import { readHttp2Head, type Http2Head } from './http2-head.ts'
import {
  FIELDS_BYTES_MAX,
  FIELDS_MAX,
  INVALID_FRAMES_MAX,
  REFUSED_STREAMS_MAX,
  RESETS_BURST,
  RESETS_PER_SECOND,
  SESSION_BYTES_MAX,
  SETTINGS_ENTRIES_MAX,
  STREAM_WINDOW_BYTES,
  STREAMS_MAX,
} from './http2-limits.ts'
import { EMPTY_BODY } from './http1-body.ts'
import { type Arrival, misdirected } from './misdirected.ts'
import type { FrontOwner } from './http1.ts'

const OPTIONS: ServerOptions = {
  settings: {
    maxConcurrentStreams: STREAMS_MAX,
    initialWindowSize: STREAM_WINDOW_BYTES,
    maxHeaderListSize: FIELDS_BYTES_MAX,
    enablePush: false,
    // RFC 8441: WebSockets on a stream.
    enableConnectProtocol: true,
  },
  maxHeaderListPairs: FIELDS_MAX,
  maxSessionMemory: SESSION_BYTES_MAX / 1_000_000,
  maxSessionRejectedStreams: REFUSED_STREAMS_MAX,
  maxSessionInvalidFrames: INVALID_FRAMES_MAX,
  maxSettings: SETTINGS_ENTRIES_MAX,
  maxOutstandingPings: 1,
  streamResetBurst: RESETS_BURST,
  streamResetRate: RESETS_PER_SECOND,
  strictFieldWhitespaceValidation: true,
  // What a backend repeats is passed on as over HTTP/1; node:http2 would throw.
  strictSingleValueFields: false,
}

export class Http2Front {
  readonly #owner: FrontOwner
  readonly #stalledMs: number
  readonly #connections = new Set<Http2Connection>()
  #mode: 'serving' | 'draining' = 'serving'

  constructor(owner: FrontOwner, stalledMs: number) {
    this.#owner = owner
    this.#stalledMs = stalledMs
  }

  get connections(): ReadonlySet<Http2Connection> {
    return this.#connections
  }

  /** The preface is the first that the socket will read. */
  accept(socket: Socket, arrival: Arrival): void {
    const session = performServerHandshake(socket, OPTIONS)
    const connection = new Http2Connection(session, socket, arrival, this.#owner)
    this.#connections.add(connection)
    session.on('close', () => {
      this.#connections.delete(connection)
      socket.destroy()
    })
    session.on('stream', (stream, _fields, flags, raw) => {
      stream.on('error', () => undefined)
      stream.on('close', () => noteEnd(connection, stream.rstCode))
      connection.guard(() => this.#stream(connection, stream, { flags, raw }))
    })
    if (this.#mode === 'draining') connection.end()
  }

  /** All are told, one after the other, so that not all clients connect anew at once. */
  closeAfterAnswers(withinMs: number): void {
    this.#mode = 'draining'
    const eachMs = withinMs / Math.max(1, this.#connections.size)
    let atMs = this.#owner.now()
    for (const connection of this.#connections) {
      this.#owner.deadlines.add(atMs, { expire: () => connection.end() })
      atMs += eachMs
    }
  }

  endIdle(sinceMs: number): void {
    for (const connection of this.#connections) {
      if (connection.idleSinceMs < sinceMs) connection.end()
    }
  }

  destroy(): void {
    for (const connection of this.#connections) connection.destroy()
  }

  #stream(connection: Http2Connection, stream: ServerHttp2Stream, begun: Begun): void {
    const { lastHost, direct } = connection
    const end = (begun.flags & constants.NGHTTP2_FLAG_END_STREAM) === 0 ? 'open' : 'here'
    const head = readHttp2Head({ fields: begun.raw, scheme: direct.scheme, lastHost, end })
    // What follows a switch of protocols is no body.
    const isEmpty = end === 'here' || head.upgrade !== null
    const body = isEmpty
      ? EMPTY_BODY
      : new Http2Body(stream, head, (error) => {
          this.#owner.bug(error)
          stream.close(constants.NGHTTP2_INTERNAL_ERROR)
        })
    this.#serve(connection, stream, { head, body })
  }

  #serve(connection: Http2Connection, stream: ServerHttp2Stream, request: Request): void {
    const { head, body } = request
    const { peer, direct } = connection
    const trusted = this.#owner.trustedProxies()
    const trust = trusted?.trust(peer) ?? 'untrusted'
    const client =
      trusted === null || trust === 'untrusted'
        ? direct
        : forwardedClient(head.headers, direct, trusted)
    connection.exchangeStarted()
    const startedAtMs = this.#owner.wallClock()
    this.#owner.serve(
      newExchange({
        startedAtMs,
        id: this.#owner.newId(),
        startedMs: this.#owner.now(),
        peer,
        protocol: '2',
        method: head.method,
        scheme: client.scheme,
        host: head.host,
        path: head.path,
        query: head.query,
        headers: head.headers,
        ip: client.ip,
        peerTrust: trust,
        upgrade: head.upgrade,
        body,
        answer: new Http2Answer(stream, connection, this.#stalledMs),
        refusal: head.refusal ?? misdirected(connection.arrival, head.host, this.#owner.tls()),
      }),
    )
  }
}

const { NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR } = constants

/** Resets that are not our own doing. */
function noteEnd(connection: Http2Connection, code: number): void {
  if (code !== NGHTTP2_NO_ERROR && code !== NGHTTP2_INTERNAL_ERROR) connection.streamBroke()
}

interface Begun {
  readonly flags: number
  readonly raw: readonly string[]
}

interface Request {
  readonly head: Http2Head
  readonly body: RequestBody
}
