/**
 * Clients that a rolling restart must not cost a single answer: on kept and on new connections, slow
 * to ask, in the middle of a stream, and over HTTP/2. And the backend that they ask for.
 */
import { once } from 'node:events'
import { Agent, createServer, request, type Server, type ServerResponse } from 'node:http'
import { type ClientHttp2Session, connect } from 'node:http2'
import { setTimeout as wait } from 'node:timers/promises'
import { portOf } from '../../dataplane/upstream/fake/recorder.ts'

const PIECES = 12
const PIECE_EVERY_MS = 60
const PIECE = 'x'.repeat(1_000)
const SLOW_MS = 400
/** Between requests on a kept connection: it is idle for most of the time. */
const REST_MS = 25
const PATIENCE_MS = 20_000

export interface Backend {
  readonly port: number
  close(): void
}

/** Answers with what it was sent, a piece at a time below /stream. */
export async function startBackend(): Promise<Backend> {
  const server: Server = createServer((incoming, outgoing) => {
    let text = ''
    incoming.setEncoding('latin1')
    incoming.on('data', (chunk: string) => (text += chunk))
    incoming.on('end', () => void answer(incoming.url ?? '', text, outgoing))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    port: portOf(server),
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function answer(path: string, text: string, outgoing: ServerResponse): Promise<void> {
  if (path === '/slow') await wait(SLOW_MS)
  const pieces = path === '/stream' ? PIECES : 0
  for (let i = 0; i < pieces; i++) {
    outgoing.write(PIECE)
    await wait(PIECE_EVERY_MS)
  }
  outgoing.end(`${path} ${text}`)
}

interface Asked {
  readonly path: string
  /** Sent one after the other, with pauses between. */
  readonly pieces: readonly string[]
  readonly wanted: string
}

const KINDS: readonly Asked[] = [
  { path: '/fast', pieces: [], wanted: '/fast ' },
  { path: '/slow', pieces: [], wanted: '/slow ' },
  { path: '/stream', pieces: [], wanted: `${PIECE.repeat(PIECES)}/stream ` },
  { path: '/fast', pieces: Array(8).fill('piece'), wanted: `/fast ${'piece'.repeat(8)}` },
]

export interface Tally {
  answered: number
  /** What went wrong, in words. */
  readonly lost: string[]
}

type Ask = (asked: Asked) => Promise<string>

/** Until it is aborted: every kind of client, each on its own. */
export async function runClients(port: number, tally: Tally, end: AbortSignal): Promise<void> {
  const each = async (name: string, asked: Asked, ask: Ask): Promise<void> => {
    while (!end.aborted) {
      const seen = await ask(asked)
      if (seen === asked.wanted) tally.answered++
      else tally.lost.push(`${asked.path} ${name}: ${seen.slice(0, 100)}`)
      await wait(REST_MS)
    }
  }
  const session = new Session(port)
  const agents = KINDS.map(() => new Agent({ keepAlive: true, maxSockets: 1 }))
  await Promise.all(
    KINDS.flatMap((kind, i) => [
      each('kept', kind, (asked) => askHttp1(port, asked, agents[i] ?? false)),
      each('new', kind, (asked) => askHttp1(port, asked, false)),
      each('h2', kind, (asked) => session.ask(asked)),
    ]),
  )
  for (const agent of agents) agent.destroy()
  session.close()
}

async function askHttp1(port: number, asked: Asked, agent: Agent | false): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const { path, pieces } = asked
  const method = pieces.length > 0 ? 'POST' : 'GET'
  const sent = request({ host: '127.0.0.1', port, path, agent, method }, (response) => {
    let body = ''
    response.setEncoding('latin1')
    response.on('data', (chunk: string) => (body += chunk))
    response.on('end', () => resolve(response.statusCode === 200 ? body : `${response.statusCode}`))
    response.on('error', (error) => resolve(`in the middle: ${error.message}`))
  })
  sent.on('error', (error) => resolve(error.message))
  sent.setTimeout(PATIENCE_MS, () => sent.destroy(new Error('no answer')))
  for (const piece of pieces) {
    sent.write(piece)
    await wait(PIECE_EVERY_MS)
  }
  sent.end()
  return promise
}

/** One connection over HTTP/2 for all of its requests, and the next when that one ends. */
class Session {
  readonly #port: number
  #client: ClientHttp2Session | null = null

  constructor(port: number) {
    this.#port = port
  }

  /** RFC 9113 section 8.7: a refused stream was not processed, whoever asked may ask again. */
  async ask(asked: Asked): Promise<string> {
    const seen = await this.#once(asked)
    return seen === 'refused' ? this.ask(asked) : seen
  }

  /** `refused`, or what came. */
  async #once({ path, pieces }: Asked): Promise<string> {
    const fields = {
      ':authority': 'shop.example.com',
      ':path': path,
      ':method': pieces.length > 0 ? 'POST' : 'GET',
    }
    const stream = this.#session().request(fields, { endStream: pieces.length === 0 })
    let failed = ''
    stream.on('error', (error) => (failed = error.message))
    stream.setTimeout(PATIENCE_MS, () => stream.destroy(new Error('no answer')))
    let status = 0
    stream.on('response', (head) => {
      status = head[':status'] ?? 0
    })
    let body = ''
    stream.setEncoding('latin1')
    stream.on('data', (chunk: string) => (body += chunk))
    const closed = once(stream, 'close').catch(() => undefined)
    for (const piece of pieces) {
      if (stream.writable) stream.write(piece)
      await wait(PIECE_EVERY_MS)
    }
    if (stream.writable) stream.end()
    await closed
    if (stream.rstCode === REFUSED) return 'refused'
    if (failed !== '') return `${failed} (${status}, ${body.length} characters)`
    return status === 200 ? body : String(status)
  }

  #session(): ClientHttp2Session {
    const known = this.#client
    if (known !== null && !known.closed && !known.destroyed) return known
    const client = connect(`http://127.0.0.1:${this.#port}`)
    client.on('error', () => undefined)
    this.#client = client
    return client
  }

  close(): void {
    this.#client?.destroy()
  }
}

const REFUSED = 7
