/**
 * An answer's stream that is given up when its backend falls silent. While the client takes nothing,
 * the silence is not the backend's.
 * Pinned by idle-stream.test.ts: "a stream that falls silent breaks off, a slow reader does not".
 */
import { fail } from '../request/failure.ts'
import type { Failure } from '../request/failure.ts'
import type { AnswerSink, AnswerStream } from '../request/outcome.ts'
import type { Deadline, Deadlines, Expiring } from './deadlines.ts'

interface Clock {
  readonly now: () => number
  readonly deadlines: Deadlines
}

export class IdleStream implements AnswerStream, AnswerSink, Expiring {
  readonly #stream: AnswerStream
  readonly #idleMs: number
  readonly #clock: Clock
  #sink: AnswerSink | null = null
  #deadline: Deadline | null = null
  #lastMs = 0
  #flow: 'flowing' | 'paused' = 'flowing'

  constructor(stream: AnswerStream, idleMs: number, clock: Clock) {
    this.#stream = stream
    this.#idleMs = idleMs
    this.#clock = clock
  }

  get bytesDeclared(): number | null {
    return this.#stream.bytesDeclared
  }

  start(sink: AnswerSink): void {
    this.#sink = sink
    this.#stream.start(this)
    // Mostly all of it was there already.
    if (this.#sink !== null) this.#wait()
  }

  resume(): void {
    this.#flow = 'flowing'
    this.#lastMs = this.#clock.now()
    this.#stream.resume()
  }

  abort(): void {
    this.#end()
    this.#stream.abort()
  }

  // ---- AnswerSink ------------------------------------------------------------------------------

  data(chunk: Buffer): 'more' | 'pause' {
    const flow = this.#sink?.data(chunk) ?? 'more'
    if (this.#deadline !== null) this.#lastMs = this.#clock.now()
    if (flow === 'pause') this.#flow = 'paused'
    return flow
  }

  end(trailers: readonly string[] | null): void {
    this.#end()?.end(trailers)
  }

  fail(failure: Failure): void {
    this.#end()?.fail(failure)
  }

  #end(): AnswerSink | null {
    const sink = this.#sink
    this.#sink = null
    this.#deadline?.cancel()
    this.#deadline = null
    return sink
  }

  // ---- Expiring --------------------------------------------------------------------------------

  /** One deadline for many chunks: it is looked at when it has come, and moved on. */
  #wait(): void {
    this.#lastMs = this.#clock.now()
    this.#deadline = this.#clock.deadlines.add(this.#lastMs + this.#idleMs, this)
  }

  expire(): void {
    if (this.#sink === null) return
    if (this.#flow === 'paused') return this.#wait()
    const at = this.#lastMs + this.#idleMs
    if (at > this.#clock.now()) {
      this.#deadline = this.#clock.deadlines.add(at, this)
      return
    }
    const sink = this.#end()
    this.#stream.abort()
    sink?.fail(fail('upstream-timeout', 'The backend fell silent in the middle of its answer.'))
  }
}
