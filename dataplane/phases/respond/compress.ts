/**
 * Compresses an answer on its way to the client, in zlib's own threads: the last thing that is done to
 * it, after its head has been edited and before its first byte goes out.
 * Pinned by compress.test.ts: "what a client decodes is what the backend sent, at any pace".
 */
import {
  constants,
  createBrotliCompress,
  createGzip,
  createZstdCompress,
  type BrotliCompress,
  type Gzip,
  type ZstdCompress,
} from 'node:zlib'
import type { Exchange } from '../../request/exchange.ts'
import { type Failure, fail } from '../../request/failure.ts'
import { headerValue, isSameName, variesBy } from '../../request/headers.ts'
import type { AnswerBody, AnswerSink, AnswerStream } from '../../request/outcome.ts'
import type { Gate } from '../../runtime/beside.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { type Coding, codingFor, forbidsTransform, mediaType, worth } from './encoding.ts'
import type { Head } from './head.ts'

export interface Packed {
  readonly head: Head
  readonly body: AnswerBody
}

export function packed(head: Head, body: AnswerBody, exchange: Exchange, runtime: Runtime): Packed {
  const compression = exchange.rule?.compression ?? null
  if (compression === null || worth(head, body, compression) === 'no') return { head, body }
  const coding = codingFor(headerValue(exchange.headers, 'accept-encoding'))
  const varying = { ...head, headers: withVary(head.headers) }
  if (coding === 'identity' || forbidsTransform(exchange.headers) === 'yes') {
    return { head: varying, body }
  }
  // Beyond the bound an answer goes out as it is: correct, if larger.
  const gate = runtime.beside.compressions
  if (gate.enter() === 'full') return { head: varying, body }
  const paced = INTERACTIVE.has(mediaType(head.headers)) ? 'each chunk' : 'as it fills'
  const stream = new PackedStream(streamOf(body), zipFor(coding), gate, paced)
  return {
    head: { ...varying, headers: encoded(varying.headers, coding) },
    body: { kind: 'stream', stream },
  }
}

// ---- the head -------------------------------------------------------------------------------

function withVary(headers: readonly string[]): readonly string[] {
  return variesBy(headers, 'accept-encoding') ? headers : [...headers, 'vary', 'accept-encoding']
}

/** These speak of the bytes that are not sent any more. */
const OF_THE_BYTES = [
  'content-length',
  'content-md5',
  'content-digest',
  'repr-digest',
  'digest',
  'accept-ranges',
]

/** RFC 9110 section 8.8.3: two codings of one thing are equal in meaning, not in bytes. */
function encoded(headers: readonly string[], coding: Coding): readonly string[] {
  const own: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [name = '', value = ''] = headers.slice(i, i + 2)
    if (OF_THE_BYTES.some((one) => isSameName(name, one))) continue
    const isStrong = isSameName(name, 'etag') && !value.startsWith('W/')
    own.push(name, isStrong ? `W/${value}` : value)
  }
  own.push('content-encoding', coding)
  return own
}

// ---- the body -------------------------------------------------------------------------------

/** Whoever reads these waits for each message. */
const INTERACTIVE: ReadonlySet<string> = new Set([
  'text/event-stream',
  'application/x-ndjson',
  'application/jsonl',
])

type Zip = Gzip | BrotliCompress | ZstdCompress

/** Levels that cost about as much as sending the bytes saves; windows that bound the memory. */
function zipFor(coding: Coding): Zip {
  switch (coding) {
    case 'gzip':
      return createGzip({ level: 5 })
    case 'br':
      return createBrotliCompress({
        params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_LGWIN]: 18 },
      })
    case 'zstd':
      return createZstdCompress({
        params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_windowLog]: 18 },
      })
    default:
      return coding satisfies never
  }
}

function streamOf(body: AnswerBody): AnswerStream {
  if (body.kind === 'stream') return body.stream
  return new WholeStream(body.kind === 'bytes' ? body.bytes : Buffer.alloc(0))
}

class WholeStream implements AnswerStream {
  readonly bytesDeclared: number
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.bytesDeclared = bytes.length
  }

  start(sink: AnswerSink): void {
    sink.data(this.#bytes)
    sink.end(null)
  }
  resume(): void {}
  abort(): void {}
}

class PackedStream implements AnswerStream, AnswerSink {
  readonly bytesDeclared = null
  readonly #from: AnswerStream
  readonly #zip: Zip
  readonly #gate: Gate
  readonly #paced: 'each chunk' | 'as it fills'
  #sink: AnswerSink | null = null
  #trailers: readonly string[] | null = null
  #state: 'open' | 'over' = 'open'

  constructor(from: AnswerStream, zip: Zip, gate: Gate, paced: 'each chunk' | 'as it fills') {
    this.#from = from
    this.#zip = zip
    this.#gate = gate
    this.#paced = paced
  }

  // ---- for the client ---------------------------------------------------------------------

  start(sink: AnswerSink): void {
    this.#sink = sink
    const zip = this.#zip
    zip.on('data', (chunk: Buffer) => {
      if (this.#state === 'open' && sink.data(chunk) === 'pause') zip.pause()
    })
    zip.on('drain', () => this.#from.resume())
    zip.on('end', () => {
      if (this.#over() === 'now') sink.end(this.#trailers)
    })
    zip.on('error', () => {
      if (this.#over() === 'before') return
      this.#from.abort()
      sink.fail(fail('bug', 'The gateway could not compress the answer.'))
    })
    this.#from.start(this)
  }

  resume(): void {
    this.#zip.resume()
  }

  abort(): void {
    if (this.#over() === 'before') return
    this.#zip.destroy()
    this.#from.abort()
  }

  // ---- from the backend -------------------------------------------------------------------

  data(chunk: Buffer): 'more' | 'pause' {
    if (this.#state === 'over') return 'more'
    const isRoom = this.#zip.write(chunk)
    if (this.#paced === 'each chunk') this.#zip.flush()
    return isRoom ? 'more' : 'pause'
  }

  end(trailers: readonly string[] | null): void {
    this.#trailers = trailers
    if (this.#state === 'open') this.#zip.end()
  }

  /** What came before it is not flushed: the client sees an abort either way. */
  fail(failure: Failure): void {
    if (this.#over() === 'before') return
    this.#zip.destroy()
    this.#sink?.fail(failure)
  }

  #over(): 'now' | 'before' {
    if (this.#state === 'over') return 'before'
    this.#state = 'over'
    this.#gate.leave()
    return 'now'
  }
}
