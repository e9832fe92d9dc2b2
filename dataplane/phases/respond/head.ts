/**
 * The head of an answer: its status and headers, with the rule's edits, with what the client is told
 * about its limits, and framed as its status and method demand (RFC 9110 section 6.4.1).
 * Pinned by head.test.ts: "no answer without content has a body or lies about it".
 */
import type { Exchange } from '../../request/exchange.ts'
import type { Failure } from '../../request/failure.ts'
import { withoutHeader } from '../../request/headers.ts'
import type { Respond } from '../../request/outcome.ts'
import type { Scope } from '../../runtime/expression-types.ts'
import type { PreparedHeaderEdits } from '../../runtime/runtime.ts'
import { withCors } from '../cors.ts'
import { editedHeaders, pushHeaders } from '../header-edits.ts'
import { problemOf } from './problem.ts'
import { pushRateLimit } from './rate-limit-headers.ts'

export interface Head {
  readonly status: number
  readonly headers: readonly string[]
  /** `none`: whatever the body is, none of it is sent. */
  readonly content: 'some' | 'none'
}

/** Of what a backend or a rule has answered; or why it cannot be given. */
export function headOf(answer: Respond, exchange: Exchange): Head | Failure {
  const { rule, taken } = exchange
  let { headers } = answer
  if (rule !== null && rule.responseHeaders !== null) {
    const edited = editedHeaders(headers, rule.responseHeaders, scopeOf(exchange))
    if ('kind' in edited) return edited
    headers = edited
  }
  if (taken !== null && taken.standings.length > 0) headers = withStandings(headers, exchange)
  if (rule !== null && rule.cors !== null) headers = withCors(headers, rule.cors, exchange)
  return framed(answer, headers, exchange.method)
}

/** A failure's own headers stand: an edit may add to them and never replaces them. */
export function problemHead(failure: Failure, exchange: Exchange): Head & { body: Buffer } {
  const { status, headers, body } = problemOf(failure, exchange.id)
  const edits = exchange.rule?.responseHeaders ?? null
  let all = edits === null ? headers : [...editsBeside(headers, edits, exchange), ...headers]
  all.push('content-length', String(body.length))
  pushRateLimit(all, exchange.taken)
  const cors = exchange.rule?.cors ?? null
  if (cors !== null) all = withCors(all, cors, exchange)
  return { status, headers: all, content: exchange.method === 'HEAD' ? 'none' : 'some', body }
}

function editsBeside(
  own: readonly string[],
  edits: PreparedHeaderEdits,
  exchange: Exchange,
): readonly string[] {
  const added: string[] = []
  // A value that cannot be computed is left out here: the answer is already a refusal.
  pushHeaders(added, edits.added, scopeOf(exchange))
  let kept: readonly string[] = withoutHeader(added, 'content-length')
  for (let i = 0; i < own.length; i += 2) kept = withoutHeader(kept, own[i] ?? '')
  return kept
}

function scopeOf(exchange: Exchange): Scope {
  return { exchange, caller: exchange.caller, calls: null, locals: null }
}

/** What a backend says of limits of its own would contradict ours. */
function withStandings(headers: readonly string[], exchange: Exchange): readonly string[] {
  const own = [...withoutHeader(withoutHeader(headers, 'ratelimit-policy'), 'ratelimit')]
  pushRateLimit(own, exchange.taken)
  return own
}

function framed({ status, body }: Respond, headers: readonly string[], method: string): Head {
  if (status === 204 || status === 205) {
    return { status, headers: withoutHeader(headers, 'content-length'), content: 'none' }
  }
  // HEAD and 304 keep the length that GET would have.
  if (status === 304) return { status, headers, content: 'none' }
  const content = method === 'HEAD' ? 'none' : 'some'
  if (body.kind === 'stream') return { status, headers, content }
  // RFC 9110 section 8.6: a 1xx has no length.
  if (body.kind === 'tunnel') {
    return { status, headers: withoutHeader(headers, 'content-length'), content: 'none' }
  }
  const length = body.kind === 'bytes' ? body.bytes.length : 0
  const exact = [...withoutHeader(headers, 'content-length'), 'content-length', String(length)]
  return { status, headers: exact, content }
}
