/**
 * Clients that a rolling restart must not cost a single answer: on kept and on new connections, slow
 * to ask, and in the middle of a stream. And the backend that they ask for.
 */
import { Agent, createServer, request, type Server } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { portOf } from '../../dataplane/upstream/fake/recorder.ts'

const PIECES = 12
const PIECE_EVERY_MS = 60
const PIECE = 'x'.repeat(1_000)
const SLOW_MS = 400
/** Between requests on a kept connection: it is idle for most of the time. */
const REST_MS = 25

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
    incoming.on('end', async () => {
      if (incoming.url === '/slow') await wait(SLOW_MS)
      if (incoming.url === '/stream') {
        for (let i = 0; i < PIECES; i++) {
          outgoing.write(PIECE)
          await wait(PIECE_EVERY_MS)
        }
      }
      outgoing.end(`${incoming.url} ${text}`)
    })
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

interface Asked {
  readonly path: string
  readonly agent: Agent | false
  /** Sent one after the other, with pauses between. */
  readonly pieces: readonly string[]
  readonly wanted: string
}

const FAST = { path: '/fast', pieces: [], wanted: '/fast ' }
const SLOW = { path: '/slow', pieces: [], wanted: '/slow ' }
const STREAM = { path: '/stream', pieces: [], wanted: `${PIECE.repeat(PIECES)}/stream ` }
const UPLOAD = { path: '/fast', pieces: Array(8).fill('piece'), wanted: `/fast ${'piece'.repeat(8)}` }

export interface Tally {
  answered: number
  /** What went wrong, in words. */
  readonly lost: string[]
}

/** Until it is aborted: every kind of client, each on its own. */
export async function runClients(port: number, tally: Tally, end: AbortSignal): Promise<void> {
  const kept = (): Agent => new Agent({ keepAlive: true, maxSockets: 1 })
  const kinds: Asked[] = [FAST, SLOW, STREAM, UPLOAD].flatMap((kind) => [
    { ...kind, agent: kept() },
    { ...kind, agent: false },
  ])
  await Promise.all(
    kinds.map(async (asked) => {
      while (!end.aborted) {
        const seen = await ask(port, asked)
        if (seen === asked.wanted) tally.answered++
        else tally.lost.push(`${asked.path} ${asked.agent === false ? 'new' : 'kept'}: ${seen}`)
        await wait(REST_MS)
      }
      if (asked.agent !== false) asked.agent.destroy()
    }),
  )
}

async function ask(port: number, { path, agent, pieces }: Asked): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const method = pieces.length > 0 ? 'POST' : 'GET'
  const sent = request({ host: '127.0.0.1', port, path, agent, method }, (response) => {
    let body = ''
    response.setEncoding('latin1')
    response.on('data', (chunk: string) => (body += chunk))
    response.on('end', () => resolve(response.statusCode === 200 ? body : `${response.statusCode}`))
    response.on('error', (error) => resolve(`in the middle: ${error.message}`))
  })
  sent.on('error', (error) => resolve(error.message))
  for (const piece of pieces) {
    sent.write(piece)
    await wait(PIECE_EVERY_MS)
  }
  sent.end()
  return promise
}
