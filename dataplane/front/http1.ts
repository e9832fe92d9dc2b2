/**
 * HTTP/1 of the clients on node:http: every request becomes an exchange, also one that is refused
 * and one that cannot even be parsed. The first step of a request's walk; a strict codec of our own
 * takes the place of node:http later, behind the same body and answer.
 * Pinned by http1.test.ts: "what is refused is answered, recorded once, and closed".
 */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { type AddressInfo, Server as NetServer, Socket } from 'node:net'
import { HEADER_BYTES_MAX, TARGET_BYTES_MAX } from '#wire/limits'
import {
  type Answer,
  type Exchange,
  newExchange,
  type Received,
  type RequestBody,
} from '../request/exchange.ts'
import { type Failure, fail } from '../request/failure.ts'
import type { TrustedProxies } from '../runtime/runtime.ts'
import { Connection, type ConnectionOwner } from './connection.ts'
import { forwardedClient } from './forwarded.ts'
import { NodeAnswer } from './node-answer.ts'
import { EMPTY_BODY, NodeBody } from './node-body.ts'
import { RawAnswer } from './raw-answer.ts'
import { readRequestHead, type RequestHead } from './request-head.ts'

/** A head that takes longer is a slow client's or an attacker's. */
const HEAD_TIMEOUT_MS = 10_000
const HEAD_CHECK_EVERY_MS = 500

/** Longer than the idle timeout of load balancers before us (60 s), so that they close first. */
export const IDLE_MS = 75_000
const IDLE_SWEEP_EVERY_MS = 5_000

/** Of one worker: an idle one takes 8 KB and a file descriptor; more are closed unanswered. */
const CONNECTIONS_MAX = 16_384

/** As other servers have it; anybody who reads at all takes a piece of the socket's buffer in it. */
const STALLED_MS = 60_000

export interface FrontBounds {
  readonly headMs: number
  readonly headCheckEveryMs: number
  readonly stalledMs: number
  readonly connectionsMax: number
}
export const BOUNDS: FrontBounds = {
  headMs: HEAD_TIMEOUT_MS,
  headCheckEveryMs: HEAD_CHECK_EVERY_MS,
  stalledMs: STALLED_MS,
  connectionsMax: CONNECTIONS_MAX,
}

const PARSER: ServerOptions = {
  httpValidation: 'strict',
  // Request line and headers together; each has its own limit, checked with a better answer.
  maxHeaderSize: 2 * TARGET_BYTES_MAX + HEADER_BYTES_MAX,
  // An upload may last: its rule's timeout ends it.
  requestTimeout: 0,
  // Idle connections are swept: a timer that is set anew for each request costs 2 µs.
  keepAliveTimeout: 0,
  // Our own answer to a missing Host has a body and a record.
  requireHostHeader: false,
  optimizeEmptyRequests: true,
  noDelay: true,
  shouldUpgradeCallback: () => false,
}

/** What the front asks of the worker that it runs in. */
export interface FrontOwner extends ConnectionOwner {
  /** Milliseconds since 1970. */
  readonly wallClock: () => number
  /** Called after wallClock. */
  readonly newId: () => string
  /** Of the table that runs now. */
  trustedProxies(): TrustedProxies | null
  /** Answers and records it; never throws. */
  serve(exchange: Exchange): void
}

export interface ListenOptions {
  readonly host: string
  readonly port: number
  readonly reusePort: boolean
}

export class Http1Front {
  readonly #owner: FrontOwner
  readonly #server: Server
  readonly #connections = new Map<Socket, Connection>()
  readonly #sweep: NodeJS.Timeout
  #mode: 'serving' | 'draining' = 'serving'
  #lastAcceptMs: number
  readonly #stalledMs: number

  constructor(owner: FrontOwner, bounds: FrontBounds = BOUNDS) {
    this.#owner = owner
    this.#stalledMs = bounds.stalledMs
    this.#lastAcceptMs = owner.now()
    this.#server = createServer({
      ...PARSER,
      headersTimeout: bounds.headMs,
      connectionsCheckingInterval: bounds.headCheckEveryMs,
    })
    this.#server.maxConnections = bounds.connectionsMax
    // 0: node:http would silently drop headers beyond a number; ours answers 431.
    this.#server.maxHeadersCount = 0
    this.#server.on('connection', (socket) => this.#accepted(socket))
    // Its check of slow heads begins when it listens; here a listener of our own may hand sockets.
    this.#server.emit('listening')
    this.#sweep = setInterval(() => this.#endIdle(), IDLE_SWEEP_EVERY_MS)
    this.#sweep.unref()
    const request = (incoming: IncomingMessage, outgoing: ServerResponse): void =>
      this.#request(incoming, outgoing)
    this.#server.on('request', request)
    this.#server.on('checkContinue', request)
    this.#server.on('checkExpectation', request)
    this.#server.on('connect', (incoming, stream) => this.#connect(incoming, stream))
    this.#server.on('clientError', (error, stream) => this.#unparsable(error, stream))
  }

  /** A socket of another listener, with nothing read from it that is not put back. */
  accept(socket: Socket): void {
    this.#server.emit('connection', socket)
  }

  async listen(options: ListenOptions): Promise<AddressInfo> {
    const { promise, resolve, reject } = Promise.withResolvers<AddressInfo>()
    this.#server.once('error', reject)
    this.#server.listen(options, () => {
      this.#server.off('error', reject)
      const address = this.#server.address()
      if (address === null || typeof address === 'string') reject(new Error('not a TCP address'))
      else resolve(address)
    })
    return promise
  }

  // ---- state that draining needs -------------------------------------------------------------

  get lastAcceptMs(): number {
    return this.#lastAcceptMs
  }

  get connections(): readonly Connection[] {
    return [...this.#connections.values()]
  }

  /** From now on every answer is the last of its connection. */
  closeAfterAnswers(): void {
    this.#mode = 'draining'
    for (const connection of this.#connections.values()) {
      if (connection.mode === 'open') connection.mode = 'last'
    }
  }

  /**
   * No new connection is accepted. Not node:http's own `close`, which destroys idle connections at
   * once, also those on which a request is just arriving.
   */
  stopAccepting(): void {
    if (this.#server.listening) NetServer.prototype.close.call(this.#server)
  }

  destroy(): void {
    clearInterval(this.#sweep)
    this.stopAccepting()
    for (const connection of this.#connections.values()) connection.destroy()
  }

  #endIdle(): void {
    const sinceMs = this.#owner.now() - IDLE_MS
    for (const connection of this.#connections.values()) {
      if (connection.idleSinceMs < sinceMs) connection.end()
    }
  }

  // ---- bytes become exchanges ----------------------------------------------------------------

  #accepted(socket: Socket): void {
    this.#lastAcceptMs = this.#owner.now()
    const connection = new Connection(socket, this.#owner, this.#stalledMs)
    if (this.#mode === 'draining') connection.mode = 'last'
    this.#connections.set(socket, connection)
    socket.once('close', () => this.#connections.delete(socket))
  }

  #request(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const connection = this.#connections.get(incoming.socket)
    // After `Connection: close` nothing that follows is read as a request.
    if (connection === undefined || !connection.reads) return
    const head = readRequestHead({
      method: incoming.method ?? '',
      target: incoming.url ?? '',
      protocol: VERSIONS.get(incoming.httpVersion) ?? 'other',
      headers: incoming.rawHeaders,
      scheme: 'http',
      lastHost: connection.lastHost,
    })
    const body = head.bodyKind === 'none' ? null : this.#body(incoming, outgoing, head)
    connection.body = body
    connection.whenItsTurn(() => {
      const answer = new NodeAnswer(incoming, outgoing, connection, body)
      if (head.refusal !== null) answer.closeAfter()
      this.#serve(connection, incoming, { head, body: body ?? EMPTY_BODY, answer })
    })
  }

  #body(incoming: IncomingMessage, outgoing: ServerResponse, head: RequestHead): NodeBody {
    return new NodeBody(incoming, outgoing, head, (error) => {
      this.#owner.bug(error)
      incoming.socket.destroy()
    })
  }

  #serve(connection: Connection, incoming: IncomingMessage, rest: Rest): void {
    const { head, body, answer } = rest
    const { peer, direct } = connection
    const trusted = this.#owner.trustedProxies()
    const trust = trusted?.trust(peer) ?? 'untrusted'
    const client =
      trusted === null || trust === 'untrusted'
        ? direct
        : forwardedClient(incoming.rawHeaders, direct, trusted)
    this.#begin(connection, {
      startedAtMs: this.#owner.wallClock(),
      id: this.#owner.newId(),
      startedMs: this.#owner.now(),
      peer,
      protocol: incoming.httpVersionMinor === 0 ? '1.0' : '1.1',
      method: incoming.method ?? '',
      scheme: client.scheme,
      host: head.host,
      path: head.path,
      query: head.query,
      headers: incoming.rawHeaders,
      ip: client.ip,
      peerTrust: trust,
      body,
      answer,
      refusal: head.refusal,
    })
  }

  #begin(connection: Connection, received: Received): void {
    connection.exchangeStarted()
    this.#owner.serve(newExchange(received))
  }

  // ---- what is no request --------------------------------------------------------------------

  #connect(incoming: IncomingMessage, stream: unknown): void {
    const { socket } = incoming
    const connection = this.#connections.get(socket)
    if (connection === undefined || !connection.reads || stream !== socket) {
      socket.destroy()
      return
    }
    socket.on('error', () => undefined)
    const head = readRequestHead({
      method: 'CONNECT',
      target: incoming.url ?? '',
      protocol: '1.1',
      headers: incoming.rawHeaders,
      scheme: 'http',
      lastHost: connection.lastHost,
    })
    connection.mode = 'broken'
    connection.whenIdle(() => {
      if (!socket.writable) return connection.destroy()
      const answer = new RawAnswer(connection)
      this.#serve(connection, incoming, { head, body: EMPTY_BODY, answer })
    })
  }

  #unparsable(error: NodeJS.ErrnoException, stream: unknown): void {
    const connection = stream instanceof Socket ? this.#connections.get(stream) : undefined
    if (connection === undefined || !connection.reads) return
    const failure = failureOf(error)
    if (failure === null || connection.unread !== 'request') {
      connection.destroy()
      return
    }
    connection.mode = 'broken'
    connection.socket.pause()
    connection.whenIdle(() => this.#refuse(connection, failure))
  }

  #refuse(connection: Connection, refusal: Failure): void {
    if (!connection.socket.writable) return connection.destroy()
    this.#begin(connection, {
      startedAtMs: this.#owner.wallClock(),
      id: this.#owner.newId(),
      startedMs: this.#owner.now(),
      peer: connection.peer,
      protocol: '1.1',
      method: '',
      scheme: 'http',
      host: '',
      path: '',
      query: null,
      headers: [],
      ip: connection.peer,
      peerTrust: 'untrusted',
      body: EMPTY_BODY,
      answer: new RawAnswer(connection),
      refusal,
    })
  }
}

interface Rest {
  readonly head: RequestHead
  readonly body: RequestBody
  readonly answer: Answer
}

const VERSIONS: ReadonlyMap<string, '1.0' | '1.1'> = new Map([
  ['1.1', '1.1'],
  ['1.0', '1.0'],
])

/** Null: the connection broke, there is nothing to answer. */
function failureOf(error: NodeJS.ErrnoException): Failure | null {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return fail('headers-too-large', 'The head of the request is too large.')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return fail('request-timeout', 'The head of the request took too long.')
    case 'HPE_INVALID_EOF_STATE':
      return null
    default:
      return error.code?.startsWith('HPE_') === true
        ? fail('bad-request', 'The request is not valid HTTP/1.1.')
        : null
  }
}
