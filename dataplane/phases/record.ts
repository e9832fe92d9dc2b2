/**
 * The one record of an exchange, whatever happened to it: after all but the last byte of the answer,
 * before that byte. Gives back what the exchange held at once.
 * Pinned by record.test.ts: "a record says how the exchange ended, and a sink cannot prevent it".
 */
import type { Exchange } from '../request/exchange.ts'
import type { Failure } from '../request/failure.ts'
import { headerValue } from '../request/headers.ts'
import type { ExchangeRecord } from '../request/record.ts'
import { reportBug } from '../request/walk.ts'
import { monotonicMs } from '../clock.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Ending } from './respond/ending.ts'

/** Never throws. */
export function record(exchange: Exchange, ending: Ending, runtime: Runtime): void {
  try {
    exchange.complete = ending.kind !== 'broken'
    exchange.flight?.land('unknown')
    if (exchange.taken !== null) runtime.limiter.release(exchange.taken.held)
  } catch (error) {
    reportBug(error, exchange, runtime)
  }
  const made = recordOf(exchange)
  for (const sink of runtime.sinks) {
    try {
      sink.record(made)
    } catch (error) {
      reportBug(error, exchange, runtime)
    }
  }
}

const NONE: readonly string[] = []
const NO_RULE = { route: null, key: null }
const NOBODY = { method: null }
const NO_FAILURE = { cause: null, fault: null, word: null }

function recordOf(exchange: Exchange): ExchangeRecord {
  const { route, key } = exchange.rule ?? NO_RULE
  const { method: authMethod } = exchange.caller ?? NOBODY
  const { cause, fault, word } = failureOf(exchange) ?? NO_FAILURE
  return {
    id: exchange.id,
    startedAtMs: exchange.startedAtMs,
    durationMs: monotonicMs() - exchange.startedMs,
    upstreamMs: exchange.upstreamHeadMs === 0 ? null : exchange.upstreamHeadMs - exchange.startedMs,
    protocol: exchange.protocol,
    method: exchange.method,
    scheme: exchange.scheme,
    host: exchange.host,
    path: exchange.path,
    ip: exchange.ip,
    peer: exchange.peer,
    userAgent: headerValue(exchange.headers, 'user-agent'),
    route,
    rule: key,
    authMethod,
    consumer: consumerOf(exchange),
    status: exchange.status,
    by: exchange.decision?.kind === 'respond' ? exchange.decision.by : 'gateway',
    cause,
    fault,
    word: word ?? cause,
    backend: exchange.backend,
    bytesIn: exchange.bytesIn,
    bytesOut: exchange.bytesOut,
    complete: exchange.complete,
    partial: exchange.partial,
    observed: exchange.taken?.observed ?? NONE,
  }
}

/** A decided failure says more than that its client did not wait to hear of it. */
function failureOf({ decision, broken }: Exchange): Failure | null {
  return decision?.kind === 'fail' ? decision : broken
}

function consumerOf({ caller }: Exchange): string | null {
  const consumer = caller?.consumer ?? null
  return consumer === null ? null : `${consumer.namespace}/${consumer.name}`
}
