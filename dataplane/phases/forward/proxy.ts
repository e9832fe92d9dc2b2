/**
 * Forwards a request to one backend and answers with its answer, both as streams: the last phase on
 * the way in, after rewrite has said what goes upstream.
 * Pinned by proxy.test.ts: "the upstream's head becomes the answer, its body a stream".
 */
import { monotonicMs } from '../../clock.ts'
import type { BodySink, Exchange, RequestBody } from '../../request/exchange.ts'
import type { Outcome, Respond } from '../../request/outcome.ts'
import type { PreparedProxy, PreparedRule, Runtime } from '../../runtime/runtime.ts'
import type { UpstreamHead, UpstreamRequest } from '../../upstream/upstream.ts'
import { chooseBackend } from './choose-backend.ts'

export function proxy(
  action: PreparedProxy,
  rule: PreparedRule,
  exchange: Exchange,
  runtime: Runtime,
): Outcome | Promise<Outcome> {
  const choice = chooseBackend(action, exchange, Math.random)
  if (choice.kind === 'fail') return choice
  exchange.backend = choice.backend
  return new Promise<Outcome>((resolve) => {
    const call = runtime.upstream.send(requestOf(choice.backend, rule, exchange), {
      head: (head) => {
        exchange.upstreamHeadMs = monotonicMs()
        resolve(respondWith(head))
      },
      failed: resolve,
      interim: (status, headers) => {
        // 100 and 102 concern one hop; hints are for the client.
        if (status === 103) exchange.answer.interim?.(status, headers)
      },
    })
    exchange.answer.onAbort(() => call.abort())
  })
}

function requestOf(backend: string, rule: PreparedRule, exchange: Exchange): UpstreamRequest {
  const { upstreamPath: path, upstreamQuery: query, body } = exchange
  return {
    backend,
    method: exchange.method,
    target: query === null ? path : `${path}?${query}`,
    host: exchange.upstreamHost ?? exchange.host,
    headers: exchange.upstreamHeaders,
    body: body.empty ? null : new CountedBody(exchange),
    deadlineMs: exchange.startedMs + rule.totalTimeoutMs,
  }
}

function respondWith({ status, headers, stream }: UpstreamHead): Respond {
  return { kind: 'respond', status, headers, body: { kind: 'stream', stream }, by: 'upstream' }
}

/** The client's body on its way through, counted for the record. */
class CountedBody implements RequestBody, BodySink {
  readonly empty = false
  readonly bytesDeclared: number | null
  readonly #exchange: Exchange
  #sink: BodySink | null = null

  constructor(exchange: Exchange) {
    this.#exchange = exchange
    this.bytesDeclared = exchange.body.bytesDeclared
  }

  start(sink: BodySink): void {
    this.#sink = sink
    this.#exchange.body.start(this)
  }

  resume(): void {
    this.#exchange.body.resume()
  }

  data(chunk: Buffer): 'more' | 'pause' {
    this.#exchange.bytesIn += chunk.length
    return this.#sink?.data(chunk) ?? 'more'
  }

  end(): void {
    this.#sink?.end()
  }

  abort(): void {
    this.#sink?.abort()
  }
}
