/**
 * One connection to a controller: HTTP/2 over TLS 1.3 with the pinned authority, the token read anew
 * each time, frames down, acknowledgements up. It ends when either side says so, or when nothing
 * was heard for three pings.
 * Pinned by test/wire/door.test.ts: "a controller that falls silent is left".
 */
import { connect } from 'node:http2'
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import { readFile } from 'node:fs/promises'
import { decodeFrame } from '#wire/decode'
import { FRAME_BYTES_MAX } from '#wire/limits'
import { lines } from '#wire/lines'
import type { UpFrame } from '#wire/session'
import type { Heard, Reply } from './apply.ts'

export interface StreamOptions {
  /** `https://host:port` */
  readonly controller: string
  /** PEM of the authorities that are trusted, and nobody else. */
  readonly caFile: string
  readonly tokenFile: string
  readonly silenceMs: number
  readonly connectWithinMs: number
  readonly signal: AbortSignal
}

/** How a stream went, and where to turn next. */
export interface Ended {
  readonly because: string
  /** `anew`: the same controller again; `elsewhere`: another one, if there is one. */
  readonly next: 'anew' | 'elsewhere'
  /** `refused`: it never became a stream. */
  readonly was: 'open' | 'refused'
}

export interface Ear {
  readonly resume: () => UpFrame
  readonly take: (heard: Heard) => Promise<Reply>
}

/** Snapshots of 12 MB would crawl through the default of 64 KB. */
const WINDOW_BYTES = 4 * 1024 * 1024

/** Never rejects. */
export async function runStream(options: StreamOptions, ear: Ear): Promise<Ended> {
  let session: ClientHttp2Session | null = null
  try {
    const [ca, token] = await Promise.all([
      textOf(options.caFile, 'certificate authority (--ca)'),
      textOf(options.tokenFile, 'token (--token)'),
    ])
    session = connect(options.controller, {
      ca,
      minVersion: 'TLSv1.3',
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
    })
    const stream = await open(session, token.trim(), options)
    stream.write(lineOf(ear.resume()))
    return await listen(stream, ear, options)
  } catch (error) {
    const because = error instanceof Refused ? error.message : sentenceOf(error)
    return { because, next: 'elsewhere', was: 'refused' }
  } finally {
    session?.destroy()
  }
}

/** They may come later: a controller that starts makes the one, the kubelet renews the other. */
async function textOf(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new Refused(`cannot read the ${what}: ${sentenceOf(error)}`)
  }
}

class Refused extends Error {}
class Silent extends Error {}

async function open(
  session: ClientHttp2Session,
  token: string,
  { connectWithinMs, signal }: StreamOptions,
): Promise<ClientHttp2Stream> {
  const { promise, resolve, reject } = Promise.withResolvers<ClientHttp2Stream>()
  const timer = setTimeout(() => reject(new Refused('it did not answer')), connectWithinMs)
  const aborted = (): void => {
    session.destroy()
    reject(new Refused('this data plane stops'))
  }
  signal.addEventListener('abort', aborted, { once: true })
  session.once('close', () => signal.removeEventListener('abort', aborted))
  session.on('error', reject)
  session.once('connect', () => {
    // It is emitted a tick late, when the session may be gone already.
    if (!session.destroyed) session.setLocalWindowSize(WINDOW_BYTES)
  })
  session.once('close', () => reject(new Refused('it closed the connection')))
  if (signal.aborted) aborted()
  const stream = session.request(
    { ':method': 'POST', ':path': '/v1/stream', authorization: `Bearer ${token}` },
    { endStream: false },
  )
  stream.on('error', reject)
  stream.once('response', (headers) => {
    if (headers[':status'] === 200) resolve(stream)
    else reject(new Refused(`it answered ${String(headers[':status'])}`))
  })
  try {
    return await promise
  } finally {
    clearTimeout(timer)
  }
}

/** Frames are taken one by one: what comes meanwhile waits in the connection's window. */
async function listen(
  stream: ClientHttp2Stream,
  ear: Ear,
  { silenceMs }: StreamOptions,
): Promise<Ended> {
  try {
    for await (const line of lines(whileHeard(stream, silenceMs), FRAME_BYTES_MAX)) {
      const reply = await ear.take(heardIn(line))
      if (reply.kind === 'end') return { because: reply.because, next: reply.next, was: 'open' }
      if (reply.kind === 'say') stream.write(lineOf(reply.frame))
    }
    return { because: 'the controller ended it', next: 'anew', was: 'open' }
  } catch (error) {
    const next = error instanceof Silent ? 'elsewhere' : 'anew'
    return { because: sentenceOf(error), next, was: 'open' }
  }
}

/** Only time spent waiting counts: a swap may take longer than a ping. */
async function* whileHeard(
  stream: ClientHttp2Stream,
  silenceMs: number,
): AsyncGenerator<Uint8Array> {
  const fall = (): void => void stream.destroy(new Silent('it fell silent'))
  let timer = setTimeout(fall, silenceMs)
  try {
    for await (const chunk of bytesOf(stream)) {
      clearTimeout(timer)
      yield chunk
      timer = setTimeout(fall, silenceMs)
    }
  } finally {
    clearTimeout(timer)
  }
}

function bytesOf(stream: ClientHttp2Stream): AsyncIterable<Uint8Array> {
  return stream
}

function heardIn(line: Uint8Array): Heard {
  const decoded = decodeFrame(line)
  if (decoded.kind === 'decoded') return { kind: 'frame', frame: decoded.value, bytes: line.length }
  const { path, sentence } = decoded.fault
  return { kind: 'unreadable', because: path === '' ? sentence : `${sentence} (${path})` }
}

function lineOf(frame: UpFrame): string {
  return `${JSON.stringify(frame)}\n`
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
