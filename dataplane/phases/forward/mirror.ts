/**
 * Sends copies of requests to another backend and drops its answers: beside proxy, which neither waits
 * for a copy nor learns how it went. A body is copied while it passes, up to a bound, and the copy goes
 * out once it is whole; so much at once and no more.
 * Pinned by mirror.test.ts: "a mirror that hangs or fails changes nothing for the client".
 */
import { MIRROR_BODY_BYTES_MAX } from '#wire/limits'
import { SHARE_WHOLE } from '#wire/traffic'
import { monotonicMs } from '../../clock.ts'
import type { Exchange } from '../../request/exchange.ts'
import type { AnswerSink, AnswerStream } from '../../request/outcome.ts'
import type { PreparedMirror, PreparedRule, Runtime } from '../../runtime/runtime.ts'
import { DEFAULT_DELIVERY } from '../../upstream/delivery.ts'

/** An answer up to this is read, so that its connection can be used again. */
const ANSWER_BYTES_MAX = 64 * 1024

/** Null: there is no body to copy, or nothing is mirrored. `random`: from 0 to below 1. */
export function mirrored(
  rule: PreparedRule,
  exchange: Exchange,
  runtime: Runtime,
  random: () => number,
): MirrorCopy | null {
  const { mirror } = rule
  // What follows a switch of protocols could not be copied.
  if (mirror === null || exchange.upgrade !== null) return null
  if (random() * SHARE_WHOLE >= mirror.share) return null
  const copy = new MirrorCopy(mirror, rule.totalTimeoutMs, exchange, runtime)
  if (!exchange.body.empty) return copy
  copy.end()
  return null
}

export class MirrorCopy {
  readonly #mirror: PreparedMirror
  readonly #timeoutMs: number
  readonly #exchange: Exchange
  readonly #runtime: Runtime
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(mirror: PreparedMirror, timeoutMs: number, exchange: Exchange, runtime: Runtime) {
    this.#mirror = mirror
    this.#timeoutMs = timeoutMs
    this.#exchange = exchange
    this.#runtime = runtime
  }

  add(chunk: Buffer): void {
    this.#bytes += chunk.length
    // A copy: what the front gives may be part of a buffer that it uses again.
    if (this.#bytes <= MIRROR_BODY_BYTES_MAX) this.#chunks.push(Buffer.from(chunk))
    else this.#chunks = []
  }

  /** The request is whole. */
  end(): void {
    const { beside } = this.#runtime
    if (this.#bytes > MIRROR_BODY_BYTES_MAX || beside.mirrors.enter() === 'full') {
      beside.count('mirrorsDropped')
      return
    }
    beside.count('mirrored')
    this.#send(() => beside.mirrors.leave())
  }

  #send(over: () => void): void {
    const { upstreamPath: path, upstreamQuery: query, upstreamHost, host } = this.#exchange
    this.#runtime.upstream.send(
      {
        backend: this.#mirror.backend,
        method: this.#exchange.method,
        target: query === null ? path : `${path}?${query}`,
        host: upstreamHost ?? host,
        headers: this.#exchange.upstreamHeaders,
        body: this.#chunks.length === 0 ? null : Buffer.concat(this.#chunks),
        deadlineMs: monotonicMs() + this.#timeoutMs,
        delivery: DEFAULT_DELIVERY,
      },
      {
        head: ({ stream }) => stream.start(new Dropped(stream, over)),
        failed: over,
      },
    )
  }
}

class Dropped implements AnswerSink {
  readonly #stream: AnswerStream
  readonly #over: () => void
  #bytes = 0

  constructor(stream: AnswerStream, over: () => void) {
    this.#stream = stream
    this.#over = over
  }

  data(chunk: Buffer): 'more' {
    const before = this.#bytes
    this.#bytes += chunk.length
    // Once: an answer that was aborted calls neither end nor fail.
    if (before <= ANSWER_BYTES_MAX && this.#bytes > ANSWER_BYTES_MAX) {
      this.#stream.abort()
      this.#over()
    }
    return 'more'
  }

  end(): void {
    if (this.#bytes <= ANSWER_BYTES_MAX) this.#over()
  }

  fail(): void {
    if (this.#bytes <= ANSWER_BYTES_MAX) this.#over()
  }
}
