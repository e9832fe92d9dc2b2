/**
 * The body of a request over HTTP/2, pushed to whoever starts it. What nobody starts waits in the
 * stream's own window, and is dropped with the stream.
 * Pinned by http2-body.test.ts: "a stream that is reset in its body is an abort, whatever its code".
 */
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { BodySink, RequestBody } from '../request/exchange.ts'

export class Http2Body implements RequestBody {
  readonly empty = false
  readonly bytesDeclared: number | null
  readonly #stream: ServerHttp2Stream
  readonly #expects: 'nothing' | 'continue'
  /** A sink that throws is a bug of ours. */
  readonly #onBug: (error: unknown) => void
  #state: 'unread' | 'reading' | 'over' = 'unread'

  constructor(
    stream: ServerHttp2Stream,
    head: { readonly bytesDeclared: number | null; readonly expects: 'nothing' | 'continue' },
    onBug: (error: unknown) => void,
  ) {
    this.#stream = stream
    this.bytesDeclared = head.bytesDeclared
    this.#expects = head.expects
    this.#onBug = onBug
  }

  start(sink: BodySink): void {
    if (this.#state !== 'unread') throw new Error('a body is read once')
    this.#state = 'reading'
    const stream = this.#stream
    if (stream.closed) return this.#finish(() => sink.abort())
    if (this.#expects === 'continue' && !stream.headersSent) {
      stream.additionalHeaders({ ':status': 100 })
    }
    stream.on('data', (chunk: Buffer) => {
      this.#guard(() => {
        if (this.#state === 'reading' && sink.data(chunk) === 'pause') stream.pause()
      })
    })
    let trailers: readonly string[] | null = null
    stream.on('trailers', (fields: IncomingHttpHeaders) => {
      trailers = flatList(fields)
    })
    // A reset with NO_ERROR ends the readable side as END_STREAM does: only the latter completes.
    stream.on('end', () => this.#finish(() => (stream.closed ? sink.abort() : sink.end(trailers))))
    stream.on('close', () => this.#finish(() => sink.abort()))
  }

  resume(): void {
    if (this.#state === 'reading') this.#stream.resume()
  }

  #finish(say: () => void): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#guard(say)
  }

  #guard(say: () => void): void {
    try {
      say()
    } catch (error) {
      this.#onBug(error)
    }
  }
}

/** node:http2 has joined what repeats, but for Set-Cookie, which is no trailer. */
function flatList(fields: IncomingHttpHeaders): readonly string[] {
  const list: string[] = []
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string' && !name.startsWith(':')) list.push(name, value)
  }
  return list
}
