/**
 * A streamed answer on its way to the client, at the pace of the slower side. The chunk that would
 * complete it is held back; what ends early, on either side, becomes an abort for the other one.
 * Pinned by stream.test.ts: "an answer that ends early is never complete for the client".
 */
import type { Exchange } from '../../request/exchange.ts'
import { type Failure, fail } from '../../request/failure.ts'
import { Later } from '../../request/later.ts'
import type { AnswerSink, AnswerStream } from '../../request/outcome.ts'
import { reportBug } from '../../request/walk.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { BROKEN, type Ending } from './ending.ts'

/** The head was already sent. */
export function streamed(
  stream: AnswerStream,
  exchange: Exchange,
  runtime: Runtime,
): Later<Ending> {
  const passage = new Passage(stream, exchange, runtime)
  passage.start()
  return passage.ending
}

class Passage implements AnswerSink {
  readonly ending = new Later<Ending>()
  readonly #stream: AnswerStream
  readonly #exchange: Exchange
  readonly #runtime: Runtime
  #state: 'flowing' | 'over' = 'flowing'
  /** Of the declared length, or null where the end has a mark of its own. */
  #left: number | null
  #held: Buffer | null = null

  constructor(stream: AnswerStream, exchange: Exchange, runtime: Runtime) {
    this.#stream = stream
    this.#exchange = exchange
    this.#runtime = runtime
    this.#left = stream.bytesDeclared
  }

  start(): void {
    const { answer } = this.#exchange
    answer.onAbort(() => this.#clientLeft())
    answer.onDrain(() => {
      if (this.#state === 'flowing') this.#stream.resume()
    })
    if (this.#state === 'flowing') this.#guarded(() => this.#stream.start(this))
  }

  data(chunk: Buffer): 'more' | 'pause' {
    if (this.#state === 'over' || chunk.length === 0) return 'more'
    if (this.#left !== null) {
      if (chunk.length > this.#left) return this.#tooMuch()
      this.#left -= chunk.length
    }
    this.#exchange.bytesOut += chunk.length
    if (this.#left === 0) {
      this.#held = chunk
      return 'more'
    }
    let pace: 'more' | 'pause' = 'more'
    this.#guarded(() => {
      pace = this.#exchange.answer.data(chunk)
    })
    return pace
  }

  end(trailers: readonly string[] | null): void {
    if (this.#state === 'over') return
    if (this.#left !== null && this.#left > 0) {
      this.#break(fail('upstream-reset', 'The backend ended its answer early.'))
      return
    }
    this.#settle({ kind: 'last', chunk: this.#held, trailers })
  }

  fail(failure: Failure): void {
    if (this.#state === 'flowing') this.#break(failure)
  }

  #tooMuch(): 'more' {
    this.#break(fail('upstream-invalid', 'The backend sent more than it had declared.'))
    this.#stream.abort()
    return 'more'
  }

  #clientLeft(): void {
    if (this.#state === 'over') return
    this.#break(fail('client-closed', 'The client left before the end of the answer.'))
    this.#stream.abort()
  }

  #guarded(act: () => void): void {
    try {
      act()
    } catch (error) {
      reportBug(error, this.#exchange, this.#runtime)
      if (this.#state === 'over') return
      this.#break(fail('bug', 'The gateway has failed in the middle of the answer.'))
      this.#stream.abort()
    }
  }

  #break(failure: Failure): void {
    this.#exchange.broken = failure
    this.#settle(BROKEN)
  }

  #settle(ending: Ending): void {
    this.#state = 'over'
    this.ending.settle(ending)
  }
}
