/**
 * Forwards a request to one backend and answers with its answer, both as streams: the last phase on
 * the way in, after rewrite has said what goes upstream.
 * Pinned by proxy.test.ts: "the upstream's head becomes the answer, its body a stream".
 */
import { monotonicMs } from '../../clock.ts'
import type { Exchange } from '../../request/exchange.ts'
import { grpcTimeoutMs, grpcType } from '../../request/grpc.ts'
import { Later } from '../../request/later.ts'
import type { Outcome, Respond } from '../../request/outcome.ts'
import type { PreparedProxy, PreparedRule, Runtime } from '../../runtime/runtime.ts'
import type { UpstreamHead, UpstreamRequest } from '../../upstream/upstream.ts'
import { chooseBackend } from './choose-backend.ts'
import { CountedBody } from './counted-body.ts'
import { type Handshake, handshakeOf } from './handshake.ts'
import { mirrored } from './mirror.ts'

export function proxy(
  action: PreparedProxy,
  rule: PreparedRule,
  exchange: Exchange,
  runtime: Runtime,
): Outcome | Later<Outcome> {
  const choice = chooseBackend(action, exchange, Math.random)
  if (choice.kind === 'fail') return choice
  exchange.backend = choice.backend
  const outcome = new Later<Outcome>()
  const copy = mirrored(rule, exchange, runtime, Math.random)
  const { clientHeaders } = runtime.table
  const body = exchange.body.empty
    ? null
    : new CountedBody(exchange, rule.bodyBytesMax, copy, clientHeaders)
  const request = requestOf(choice.backend, body, rule, exchange)
  const handshake = exchange.upgrade === null ? null : handshakeOf(exchange.upgrade, exchange)
  const call = runtime.upstream.send(handshake?.offered(request) ?? request, {
    head: (head) => {
      exchange.upstreamHeadMs = monotonicMs()
      const wrong = handshake?.whyNot(head) ?? null
      outcome.settle(wrong ?? respondWith(head, handshake))
    },
    failed: (failure) => outcome.settle(body?.refusal ?? failure),
    interim: (status, headers) => {
      // 100 and 102 concern one hop; hints are for the client.
      if (status === 103) exchange.answer.interim?.(status, headers)
    },
  })
  exchange.answer.onAbort(() => call.abort())
  return outcome
}

function requestOf(
  backend: string,
  body: CountedBody | null,
  rule: PreparedRule,
  exchange: Exchange,
): UpstreamRequest {
  const { upstreamPath: path, upstreamQuery: query } = exchange
  return {
    backend,
    method: exchange.method,
    target: query === null ? path : `${path}?${query}`,
    host: exchange.upstreamHost ?? exchange.host,
    headers: exchange.upstreamHeaders,
    body,
    deadlineMs: deadlineOf(exchange, rule),
    delivery: rule.delivery,
  }
}

/** A client of gRPC says how long it waits: nobody works for it after that. */
function deadlineOf(exchange: Exchange, { totalTimeoutMs }: PreparedRule): number {
  const { protocol, headers, startedMs } = exchange
  const waitsMs =
    protocol === '2' && grpcType(exchange) !== null ? grpcTimeoutMs(headers) : totalTimeoutMs
  return startedMs + Math.min(totalTimeoutMs, waitsMs)
}

function respondWith(head: UpstreamHead, handshake: Handshake | null): Respond {
  const { status, headers, stream, tunnel } = head
  if (tunnel === undefined || handshake === null) {
    return { kind: 'respond', status, headers, body: { kind: 'stream', stream }, by: 'upstream' }
  }
  const body = { kind: 'tunnel', tunnel } as const
  return { kind: 'respond', status, headers: handshake.answered(headers), body, by: 'upstream' }
}
