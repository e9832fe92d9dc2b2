/**
 * Sends the answer, all but its last byte: after the phases have decided, before the exchange is
 * recorded. A failure becomes a problem document here, and only here.
 * Pinned by respond.test.ts: "the last byte waits for the record".
 */
import assert from 'node:assert/strict'
import type { Exchange } from '../request/exchange.ts'
import { fail } from '../request/failure.ts'
import type { AnswerBody, AnswerSink, AnswerStream } from '../request/outcome.ts'
import { bugFailure, type Soon } from '../request/walk.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { packed } from './respond/compress.ts'
import { BROKEN, type Ending } from './respond/ending.ts'
import { type Head, headOf, problemHead } from './respond/head.ts'
import { streamed } from './respond/stream.ts'

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
  if (decision?.kind === 'respond' && decision.body.kind === 'stream') decision.body.stream.abort()
  exchange.broken = fail('client-closed', 'The client left before the answer.')
  exchange.status = exchange.broken.status
  return BROKEN
}

function answered(exchange: Exchange, runtime: Runtime): Soon<Ending> {
  const { decision } = exchange
  assert(decision !== null, 'the phases have decided')
  if (decision.kind === 'fail') return problem(exchange)
  const head = headOf(decision, exchange)
  if (!('kind' in head)) {
    const ready = packed(head, decision.body, exchange, runtime)
    return sent(ready.body, ready.head, exchange, runtime)
  }
  if (decision.body.kind === 'stream') decision.body.stream.abort()
  exchange.decision = head
  return problem(exchange)
}

function problem(exchange: Exchange): Ending {
  const { decision } = exchange
  assert(decision?.kind === 'fail')
  const { body, ...head } = problemHead(decision, exchange)
  return whole(head, body, exchange)
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
