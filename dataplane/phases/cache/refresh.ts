/**
 * Asks a backend again for an answer that is being served old (RFC 5861 section 3): the request of
 * the client who got the old one is sent once more, for nobody but the store.
 * Proved by ../cache.test.ts.
 */
import { CACHED_ANSWER_BYTES_MAX } from '#wire/limits'
import { monotonicMs } from '../../clock.ts'
import type { Answer, Exchange } from '../../request/exchange.ts'
import type { AnswerSink, AnswerStream, Outcome } from '../../request/outcome.ts'
import { after, reportBug, type Soon } from '../../request/walk.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { Flight } from './flights.ts'

/** How the backend is asked, and where its answer is kept. */
export interface Refresh {
  readonly ask: (exchange: Exchange) => Soon<Outcome>
  readonly keep: (outcome: Outcome, exchange: Exchange) => Outcome
}

/** Never throws: the client has its answer already. */
export function refresh(
  exchange: Exchange,
  flight: Flight,
  runtime: Runtime,
  { ask, keep }: Refresh,
): void {
  const { refreshes } = runtime.beside
  if (refreshes.enter() === 'full') {
    flight.land('unknown')
    return
  }
  let state: 'asking' | 'over' = 'asking'
  const over = (): void => {
    if (state === 'over') return
    state = 'over'
    flight.land('unknown')
    refreshes.leave()
  }
  runtime.beside.count('cacheRefreshes')
  const again = forNobody(exchange, flight)
  try {
    const asked = after(ask(again), read)
    if (asked instanceof Promise) asked.catch(failed)
  } catch (error) {
    failed(error)
  }

  /** It may be told in the call that brings the answer: nobody above would catch what it throws. */
  function read(outcome: Outcome): void {
    try {
      readOut(keep(outcome, again), over)
    } catch (error) {
      failed(error)
    }
  }

  function failed(error: unknown): void {
    over()
    reportBug(error, exchange, runtime)
  }
}

/** The same request with a life of its own: it is answered to nobody and recorded nowhere. */
function forNobody(exchange: Exchange, flight: Flight): Exchange {
  return {
    ...exchange,
    startedMs: monotonicMs(),
    answer: NOBODY,
    upstreamHeaders: withoutConditions(exchange.upstreamHeaders),
    taken: null,
    flight,
    backend: null,
    upstreamHeadMs: 0,
    decision: null,
  }
}

const NOBODY: Answer = {
  started: false,
  head: () => undefined,
  openTunnel: () => null,
  data: () => 'more',
  end: () => undefined,
  destroy: () => undefined,
  onDrain: () => undefined,
  onAbort: () => undefined,
}

/** What the client has already is no answer for others. */
function withoutConditions(headers: readonly string[]): readonly string[] {
  return headers.filter((_, i) => !CONDITION.test(headers[i - (i % 2)] ?? ''))
}

const CONDITION = /^if-(?:none-match|modified-since)$/i

function readOut(outcome: Outcome, over: () => void): void {
  if (outcome.kind !== 'respond' || outcome.body.kind !== 'stream') {
    over()
    return
  }
  const { stream } = outcome.body
  stream.start(new Dropped(stream, over))
}

/** Reads on while it could still be kept. */
class Dropped implements AnswerSink {
  readonly #stream: AnswerStream
  readonly #over: () => void
  #bytes = 0
  #state: 'reading' | 'over' = 'reading'

  constructor(stream: AnswerStream, over: () => void) {
    this.#stream = stream
    this.#over = over
  }

  data(chunk: Buffer): 'more' {
    this.#bytes += chunk.length
    if (this.#bytes > CACHED_ANSWER_BYTES_MAX && this.#state === 'reading') {
      this.#stream.abort()
      this.end()
    }
    return 'more'
  }

  end(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#over()
  }

  fail(): void {
    this.end()
  }
}
