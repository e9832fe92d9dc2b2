/**
 * A request's body on its way to a backend, at the pace of the connection: it is asked for only when
 * the head has been written, so that an attempt that never connected has consumed nothing and can be
 * made again. Framed from what was declared, and never longer or shorter than that.
 * Pinned by upload.test.ts: "whatever comes in which pieces, one body goes out".
 */
import type { Socket } from 'node:net'
import type { BodySink, RequestBody } from '../request/exchange.ts'
import { Gathering } from '../request/pages.ts'
import { chunkLine, LINE_END, lastChunk } from '../http1/write.ts'
import { readTrailers } from './response-head.ts'

/** What is not larger is kept with others for a turn, where something is waiting already. */
const SMALL_BYTES_MAX = 1024

export interface UploadOwner {
  uploaded(): void
  /** The client went away in the middle, or sent another length than it had declared. */
  uploadBroken(why: 'client' | 'length'): void
}

export class Upload implements BodySink {
  readonly #body: RequestBody
  readonly #socket: Socket
  readonly #owner: UploadOwner
  #state: 'flowing' | 'paused' | 'over' = 'flowing'
  /** Of the declared length; null: chunked. */
  #left: number | null
  readonly #gathering = new Gathering((page) => this.#write(page))

  constructor(body: RequestBody, socket: Socket, owner: UploadOwner) {
    this.#body = body
    this.#socket = socket
    this.#owner = owner
    this.#left = body.bytesDeclared
  }

  start(): void {
    this.#body.start(this)
  }

  data(chunk: Buffer): 'more' | 'pause' {
    // The backend has answered without reading the rest, which is dropped.
    if (this.#state === 'over' || chunk.length === 0) return 'more'
    if (this.#left !== null) {
      if (chunk.length > this.#left) return this.#break('length')
      this.#left -= chunk.length
    }
    if (chunk.length <= SMALL_BYTES_MAX && this.#socket.writableLength > 0)
      this.#gathering.add(chunk)
    else {
      this.#gathering.flush()
      this.#write(chunk)
    }
    if (!this.#socket.writableNeedDrain) return 'more'
    this.#state = 'paused'
    return 'pause'
  }

  end(trailers: readonly string[] | null = null): void {
    if (this.#state === 'over') return
    if (this.#left !== null && this.#left > 0) return void this.#break('length')
    this.#gathering.flush()
    if (this.#left === null)
      this.#socket.write(lastChunk(trailers === null ? null : readTrailers(trailers)), 'latin1')
    this.#state = 'over'
    this.#owner.uploaded()
  }

  abort(): void {
    if (this.#state !== 'over') this.#break('client')
  }

  /** The socket can take more. */
  drained(): void {
    if (this.#state !== 'paused') return
    this.#state = 'flowing'
    this.#body.resume()
  }

  /** Nobody will read the rest: whoever still sends must not wait for it. */
  stop(): void {
    const waiting = this.#state === 'paused'
    this.#over()
    if (waiting) this.#body.resume()
  }

  #break(why: 'client' | 'length'): 'more' {
    this.#over()
    this.#owner.uploadBroken(why)
    return 'more'
  }

  #over(): void {
    this.#state = 'over'
    this.#gathering.drop()
  }

  /** RFC 9112 section 7.1 where no length was declared. */
  #write(chunk: Buffer): void {
    const socket = this.#socket
    if (this.#left !== null) return void socket.write(chunk)
    socket.cork()
    socket.write(chunkLine(chunk.length), 'latin1')
    socket.write(chunk)
    socket.write(LINE_END, 'latin1')
    socket.uncork()
  }
}
