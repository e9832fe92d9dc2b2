/**
 * A request's body as the readable stream that undici asks for. It starts the body only when a
 * connection is there to take it, so that an attempt that never connected has consumed nothing and
 * can be made again.
 * Pinned by body-stream.test.ts: "pauses the body while nobody reads".
 */
import { Readable } from 'node:stream'
import type { BodySink, RequestBody } from '../request/exchange.ts'
import { Gathering } from '../request/pages.ts'

/** Between client and upstream: what one side may be ahead of the other. */
const BUFFERED_BYTES_MAX = 64 * 1024

/** The client went away in the middle of its body. */
export class BodyAborted extends Error {
  override readonly name = 'BodyAborted'
}

export class BodyStream extends Readable implements BodySink {
  /** Once it has ended: flat list as it came. */
  trailers: readonly string[] | null = null
  readonly #body: RequestBody
  #state: 'unread' | 'flowing' | 'paused' | 'over' = 'unread'
  /** Of what came while others were waiting. */
  readonly #gathering = new Gathering((page) => {
    if (!this.destroyed) this.push(page)
  })

  constructor(body: RequestBody) {
    super({ highWaterMark: BUFFERED_BYTES_MAX })
    this.#body = body
  }

  /** Whether any of it was asked for: then it cannot be sent again. */
  get consumed(): 'yes' | 'no' {
    return this.#state === 'unread' ? 'no' : 'yes'
  }

  override _read(): void {
    if (this.#state === 'unread') {
      this.#state = 'flowing'
      this.#body.start(this)
    } else if (this.#state === 'paused') {
      this.#state = 'flowing'
      this.#body.resume()
    }
  }

  data(chunk: Buffer): 'more' | 'pause' {
    // Destroyed: the upstream has answered without reading the rest, which is dropped.
    if (this.destroyed) return 'more'
    if (this.#gathering.bytes === 0 && this.readableLength === 0) this.push(chunk)
    else this.#gathering.add(chunk)
    const waiting = this.readableLength + this.#gathering.bytes
    if (waiting < this.readableHighWaterMark) return 'more'
    this.#state = 'paused'
    return 'pause'
  }

  end(trailers: readonly string[] | null = null): void {
    this.#state = 'over'
    this.trailers = trailers
    this.#gathering.flush()
    if (!this.destroyed) this.push(null)
  }

  abort(): void {
    this.#state = 'over'
    this.destroy(new BodyAborted('the client went away'))
  }

  /** Nobody will read again: whoever still sends must not wait for it. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const waiting = this.#state === 'paused'
    if (this.#state !== 'unread') this.#state = 'over'
    done(error)
    if (waiting) this.#body.resume()
  }
}
