/**
 * The door of the wire: HTTP/2 over TLS 1.3, one exchange per data plane, opened by a token alone; and
 * one for each other controller that has data planes to tell of.
 * Whatever else comes is answered 401 and learns nothing.
 * Pinned by test/wire/door.test.ts: "a wrong, missing or foreign token gets 401 and nothing else".
 */
import { createSecureServer } from 'node:http2'
import type {
  Http2SecureServer,
  Http2Session,
  IncomingHttpHeaders,
  ServerHttp2Stream,
} from 'node:http2'
import type { Socket } from 'node:net'
import type { Logger } from '../log.ts'
import type { PemPair } from './certificate.ts'
import type { Identified, Identify } from './identity.ts'
import type { Timings } from './timings.ts'

export interface Visitor {
  readonly stream: ServerHttp2Stream
  readonly identity: Identified & { readonly kind: 'known' }
}

/** Another controller. */
export interface Teller {
  readonly stream: ServerHttp2Stream
  readonly identity: Identified & { readonly kind: 'replica' }
}

export interface DoorOptions {
  readonly listen: { readonly host: string; readonly port: number }
  readonly certificate: PemPair
  readonly identify: Identify
  readonly timings: Timings
  readonly log: Logger
  /** Whether there is something to send to data planes of this gateway. */
  readonly serves: (gateway: string) => 'yes' | 'notYet'
  /** Resolves when the stream is over; never rejects. */
  readonly accept: (visitor: Visitor) => Promise<void>
  readonly hear: (teller: Teller) => Promise<void>
}

export interface Door {
  readonly port: number
  /** For new connections; those that stand keep theirs. */
  replaceCertificate(pair: PemPair): void
  close(): Promise<void>
}

/** Some hundred data planes and their reconnections; a file descriptor and 80 KB each. */
const CONNECTIONS_MAX = 4_096
export const REPLICA_PATH = '/v1/replica'
/** Tokens being looked at: each is a request to the API server. */
const IDENTIFYING_MAX = 64
/** A projected token has 1 to 2 KB. */
const TOKEN_BYTES_MAX = 16 * 1024
const REFUSALS_LOGGED_EVERY_MS = 1_000
/** Between the last frame and the end of the connection, for what is still on its way. */
const FAREWELL_MS = 1_000

export async function openDoor(options: DoorOptions): Promise<Door> {
  const { listen, certificate, log, timings } = options
  const sessions = new Map<Http2Session, NodeJS.Timeout>()
  /** Those too that have not begun to speak TLS. */
  const sockets = new Set<Socket>()
  const visit = createVisit(options, (session) => clearTimeout(sessions.get(session)))

  const server = createSecureServer({
    cert: certificate.cert,
    key: certificate.key,
    minVersion: 'TLSv1.3',
    handshakeTimeout: timings.helloWithinMs,
    settings: { enablePush: false, maxConcurrentStreams: 2, maxHeaderListSize: 32 * 1024 },
  })
  server.maxConnections = CONNECTIONS_MAX
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('session', (session) => {
    // Whoever has not been let in by then has no business here.
    const timer = setTimeout(() => session.destroy(), timings.helloWithinMs)
    sessions.set(session, timer)
    session.on('error', ignore)
    session.on('close', () => {
      clearTimeout(timer)
      sessions.delete(session)
    })
  })
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', ignore)
    visit(stream, headers).catch((error: unknown) => {
      const text = error instanceof Error ? error.stack : String(error)
      log.error({ error: text }, 'bug: a stream of the wire failed')
      stream.destroy()
    })
  })
  server.on('tlsClientError', ignore) // scans and probes; nothing was said yet
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(listen.port, listen.host, resolve)
  })
  server.on('error', (error) => log.error({ error: String(error) }, 'the wire does not accept'))

  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : listen.port,
    replaceCertificate: ({ cert, key }) =>
      server.setSecureContext({ cert, key, minVersion: 'TLSv1.3' }),
    close: () => closeServer(server, { sessions: sessions.keys(), sockets }),
  }
}

interface Connections {
  readonly sessions: Iterable<Http2Session>
  readonly sockets: Iterable<Socket>
}

async function closeServer(server: Http2SecureServer, open: Connections): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  for (const session of open.sessions) session.close()
  const timer = setTimeout(() => {
    for (const socket of open.sockets) socket.destroy()
  }, FAREWELL_MS)
  await closed
  clearTimeout(timer)
}

type Visit = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => Promise<void>

function createVisit(options: DoorOptions, admitted: (session: Http2Session) => void): Visit {
  const refuse = createRefusal(options.log)
  let identifying = 0

  async function identify(token: string): Promise<Identified> {
    if (identifying >= IDENTIFYING_MAX) return { kind: 'unavailable', because: 'too many at once' }
    identifying += 1
    try {
      return await options.identify(token)
    } finally {
      identifying -= 1
    }
  }

  return async (stream, headers) => {
    const token = tokenOf(headers)
    if (token === null) return refuse(stream, 401, 'no token')
    const identity = await identify(token)
    if (identity.kind === 'refused') return refuse(stream, 401, identity.because)
    if (identity.kind === 'unavailable') return refuse(stream, 503, identity.because)
    if (PATHS[identity.kind] !== headers[':path']) {
      return refuse(stream, 401, `the token is not for ${headers[':path']}`)
    }
    if (identity.kind === 'known' && options.serves(identity.gateway) === 'notYet') {
      return refuse(stream, 503, `there is no table for ${identity.gateway} yet`)
    }
    const session = stream.session
    if (stream.destroyed || session === undefined) return
    admitted(session)
    const over = (): Promise<void> =>
      identity.kind === 'known'
        ? options.accept({ stream, identity })
        : options.hear({ stream, identity })
    const check = setInterval(() => {
      identify(token).then(
        (now) => {
          const because = strange(identity, now)
          if (because === null) return
          options.log.warn({ because }, 'a stream ends: its token is not what it was')
          stream.close()
        },
        () => undefined, // nobody can tell
      )
    }, options.timings.checkEveryMs)
    await welcome(stream, session, options.timings, over)
    clearInterval(check)
  }
}

/** Null where nothing has changed, or nobody can tell. */
function strange(before: Identified, now: Identified): string | null {
  if (now.kind === 'unavailable') return null
  if (now.kind === 'refused') return now.because
  if (now.kind !== before.kind) return 'it is of another account'
  const moved = now.kind === 'known' && before.kind === 'known' && now.gateway !== before.gateway
  return moved ? 'its account belongs to another gateway' : null
}

async function welcome(
  stream: ServerHttp2Stream,
  session: Http2Session,
  timings: Timings,
  over: () => Promise<void>,
): Promise<void> {
  const silence = watchSilence(session, timings)
  stream.respond({ ':status': 200, 'content-type': 'application/x-ndjson' })
  await over()
  clearInterval(silence)
  if (!stream.writableEnded) stream.end()
  sayFarewell(session)
}

function sayFarewell(session: Http2Session): void {
  setTimeout(() => session.destroy(), FAREWELL_MS).unref()
  session.close()
}

function ignore(): void {
  // The end of the stream says it as well, and is always looked at.
}

/** Where each may come in. */
const PATHS: Readonly<Record<'known' | 'replica', string>> = {
  known: '/v1/stream',
  replica: REPLICA_PATH,
}

function tokenOf(headers: IncomingHttpHeaders): string | null {
  const path = headers[':path'] ?? ''
  if (headers[':method'] !== 'POST' || !Object.values(PATHS).includes(path)) return null
  const [, token] = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(headers.authorization ?? '') ?? []
  return token === undefined || token.length > TOKEN_BYTES_MAX ? null : token
}

/** A dead peer answers no PING, although the kernel still takes what we send. */
function watchSilence(session: Http2Session, { pingEveryMs, silenceMs }: Timings): NodeJS.Timeout {
  let heardAtMs = performance.now()
  return setInterval(() => {
    if (session.closed || session.destroyed) return // it is ending as it is
    if (performance.now() - heardAtMs > silenceMs) {
      session.destroy()
      return
    }
    session.ping((error) => {
      if (error === null) heardAtMs = performance.now()
    })
  }, pingEveryMs)
}

type Refuse = (stream: ServerHttp2Stream, status: 401 | 503, because: string) => void

/** One line a second at most: a client in a loop must not fill the log. */
function createRefusal(log: Logger): Refuse {
  let loggedAtMs = Number.NEGATIVE_INFINITY
  let unlogged = 0
  return (stream, status, because) => {
    const { session } = stream
    const peer = session?.socket.remoteAddress
    // Not reset at once: a client would see the reset and miss the status.
    if (!stream.destroyed) stream.respond({ ':status': status }, { endStream: true })
    if (session !== undefined) sayFarewell(session)
    const nowMs = performance.now()
    if (nowMs - loggedAtMs < REFUSALS_LOGGED_EVERY_MS) {
      unlogged += 1
      return
    }
    log.warn({ peer, status, because, unlogged }, 'a data plane was refused')
    loggedAtMs = nowMs
    unlogged = 0
  }
}
