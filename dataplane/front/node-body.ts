/**
 * The body of a request on node:http, pushed to whoever starts it. What nobody starts stays in the
 * connection, where the front decides whether to drain it or to close.
 * Pinned by node-body.test.ts: "an upload is paced by whoever reads it".
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { BodySink, RequestBody } from '../request/exchange.ts'
import type { RequestHead } from './request-head.ts'

/** A request without body needs no object of its own. */
export const EMPTY_BODY: RequestBody = {
  empty: true,
  bytesDeclared: 0,
  start: (sink) => sink.end(),
  resume: () => undefined,
}

export class NodeBody implements RequestBody {
  readonly empty = false
  readonly bytesDeclared: number | null
  readonly #incoming: IncomingMessage
  readonly #answer: ServerResponse
  readonly #expects: RequestHead['expects']
  /** A sink that throws is a bug of ours: the connection cannot be used any more. */
  readonly #onBug: (error: unknown) => void
  #state: 'unread' | 'reading' | 'over' = 'unread'

  constructor(
    incoming: IncomingMessage,
    answer: ServerResponse,
    head: Pick<RequestHead, 'bytesDeclared' | 'expects'>,
    onBug: (error: unknown) => void,
  ) {
    this.#incoming = incoming
    this.#answer = answer
    this.bytesDeclared = head.bytesDeclared
    this.#expects = head.expects
    this.#onBug = onBug
  }

  /** What of it is still to come, as far as the answer's framing must know. */
  get rest(): 'none' | 'some' {
    return this.#incoming.complete ? 'none' : 'some'
  }

  /** Nobody has asked for it: a client that waits for 100 Continue has not sent it. */
  get withheld(): 'no' | 'yes' {
    return this.#state === 'unread' && this.#expects === 'continue' ? 'yes' : 'no'
  }

  start(sink: BodySink): void {
    if (this.#state !== 'unread') throw new Error('a body is read once')
    this.#state = 'reading'
    if (this.#expects === 'continue') this.#answer.writeContinue()
    const incoming = this.#incoming
    incoming.on('data', (chunk: Buffer) => {
      this.#guard(() => {
        if (sink.data(chunk) === 'pause') incoming.pause()
      })
    })
    incoming.on('end', () => this.#finish(() => sink.end()))
    incoming.on('error', () => this.#finish(() => sink.abort()))
    incoming.on('close', () => this.#finish(() => sink.abort()))
  }

  resume(): void {
    if (this.#state === 'reading') this.#incoming.resume()
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
