/**
 * Sends the answer, all but its last byte: after the phases have decided, before the exchange is
 * recorded. A failure becomes a problem document here, and only here.
 * Pinned by respond.test.ts: "the last byte waits for the record".
 */
import assert from 'node:assert/strict'
import type { Exchange } from '../request/exchange.ts'
import { type Failure, fail } from '../request/failure.ts'
import { grpcType } from '../request/grpc.ts'
import type { AnswerBody, AnswerSink, AnswerStream, Respond } from '../request/outcome.ts'
import { bugFailure, type Soon } from '../request/walk.ts'
import type { Tunnel } from '../request/tunnel.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { packed } from './respond/compress.ts'
import { BROKEN, type Ending } from './respond/ending.ts'
import { grpcHead } from './respond/grpc-head.ts'
import { type Head, headOf, problemHead } from './respond/head.ts'
import { streamed } from './respond/stream.ts'
import { GIVEN_UP, tunnelled } from './respond/tunnel.ts'

/** Never throws and never rejects: what goes wrong here ends the answer, not the exchange. */
export function respond(exchange: Exchange, runtime: Runtime): Soon<Ending> {
  try {
    return isClientGone(exchange) === 'gone' ? leave(exchange) : answered(exchange, runtime)
  } catch (error) {
    exchange.broken = bugFailure(error, exchange, runtime)
    exchange.status = exchange.broken.status
    return BROKEN
  }
}

function isClientGone(exchange: Exchange): 'there' | 'gone' {
  let client: 'there' | 'gone' = 'there'
  exchange.answer.onAbort(() => {
    client = 'gone'
  })
  return client
}

/** Nobody waits for the answer any more, and what was to be streamed must not go on arriving. */
function leave(exchange: Exchange): Ending {
  const { decision } = exchange
  if (decision?.kind === 'respond') giveUp(decision.body)
  exchange.broken = fail('client-closed', 'The client left before the answer.')
  exchange.status = exchange.broken.status
  return BROKEN
}

function giveUp(body: Respond['body']): void {
  if (body.kind === 'stream') body.stream.abort()
  if (body.kind === 'tunnel') body.tunnel.abort(GIVEN_UP)
}

function answered(exchange: Exchange, runtime: Runtime): Soon<Ending> {
  const { decision } = exchange
  assert(decision !== null, 'the phases have decided')
  if (decision.kind === 'fail') return problem(exchange)
  const head = headOf(decision, exchange)
  const { body } = decision
  if (!('kind' in head)) {
    if (body.kind === 'tunnel') return switched(body.tunnel, head, exchange)
    const ready = packed(head, body, exchange, runtime)
    return sent(ready.body, ready.head, exchange, runtime)
  }
  giveUp(body)
  exchange.decision = head
  return problem(exchange)
}

/** Whoever writes before the switch may mean it for somebody else: nothing of it is passed. */
function switched(tunnel: Tunnel, head: Head, exchange: Exchange): Soon<Ending> {
  const ending = tunnelled(tunnel, head, exchange)
  if (!('cause' in ending)) return ending
  exchange.decision = ending
  return problem(exchange)
}

function problem(exchange: Exchange): Ending {
  const { decision } = exchange
  assert(decision?.kind === 'fail')
  const type = grpcType(exchange)
  if (type !== null) return grpcProblem(decision, type, exchange)
  const { body, ...head } = problemHead(decision, exchange)
  return whole(head, body, exchange)
}

/** The record has the status that stands for the cause, whatever gRPC makes of it. */
function grpcProblem(failure: Failure, type: string, exchange: Exchange): Ending {
  const ending = whole(grpcHead(problemHead(failure, exchange), failure, type), null, exchange)
  exchange.status = failure.status
  return ending
}

function sent(body: AnswerBody, head: Head, exchange: Exchange, runtime: Runtime): Soon<Ending> {
  switch (body.kind) {
    case 'empty':
      return whole(head, null, exchange)
    case 'bytes':
      return whole(head, body.bytes, exchange)
    case 'stream':
      if (head.content === 'none') {
        body.stream.start(new Discarded(body.stream))
        return whole(head, null, exchange)
      }
      exchange.status = head.status
      exchange.answer.head(head.status, head.headers)
      return streamed(body.stream, exchange, runtime)
    default:
      return body satisfies never
  }
}

function whole(head: Head, body: Buffer | null, exchange: Exchange): Ending {
  const { status, headers, content } = head
  const bytes = content === 'none' ? null : body
  exchange.status = status
  exchange.bytesOut = bytes?.length ?? 0
  return { kind: 'whole', status, headers, body: bytes }
}

/** An answer without content ends with its head; a backend that sends some is not listened to. */
class Discarded implements AnswerSink {
  readonly #stream: AnswerStream
  constructor(stream: AnswerStream) {
    this.#stream = stream
  }
  data(): 'more' {
    this.#stream.abort()
    return 'more'
  }
  end(): void {}
  fail(): void {}
}
