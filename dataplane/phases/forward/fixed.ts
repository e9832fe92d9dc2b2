/**
 * Answers that need no upstream: a fixed response, a redirect, and what stands in the place of
 * something unusable.
 * Pinned by fixed.test.ts: "Location is absolute, from the matched host and the canonical path".
 */
import type { Exchange } from '../../request/exchange.ts'
import { type Failure, fail } from '../../request/failure.ts'
import { headerValue } from '../../request/headers.ts'
import type { AnswerBody, Outcome, Respond } from '../../request/outcome.ts'
import type { Scope } from '../../runtime/expression-types.ts'
import type { PreparedRedirect, PreparedRespond, Rejected } from '../../runtime/runtime.ts'
import { pushHeaders } from '../header-edits.ts'
import { builtPath } from '../rewrite/built-path.ts'

const EMPTY: AnswerBody = { kind: 'empty' }

export function respondFixed(action: PreparedRespond, exchange: Exchange): Outcome {
  const scope: Scope = { exchange, caller: exchange.caller, calls: null, locals: null }
  const headers: string[] = []
  const failure = pushHeaders(headers, action.headers, scope)
  if (failure !== null) return failure
  const body = bodyOf(action, scope)
  if (body.kind === 'fail') return body
  if (body.kind === 'bytes' && headerValue(headers, 'content-type') === null) {
    headers.push('content-type', 'text/plain; charset=utf-8')
  }
  return { kind: 'respond', status: action.status, headers, body, by: 'gateway' }
}

function bodyOf({ body }: PreparedRespond, scope: Scope): AnswerBody | Failure {
  if (body === null) return EMPTY
  if (Buffer.isBuffer(body)) return { kind: 'bytes', bytes: body }
  const text = body.render(scope)
  if (typeof text === 'string') return { kind: 'bytes', bytes: Buffer.from(text, 'utf8') }
  return fail('expression-failed', 'The answer of this route cannot be computed.')
}

export function redirect(action: PreparedRedirect, exchange: Exchange): Outcome {
  const built = action.path === null ? null : builtPath(action.path, exchange)
  if (built?.kind === 'fail') return built
  const path = built?.path ?? exchange.path
  const query = exchange.query === null ? '' : `?${exchange.query}`
  const scheme = action.scheme ?? exchange.scheme
  const host = action.host ?? exchange.host
  const location = `${scheme}://${host}${portOf(action, exchange)}${path}${query}`
  const headers = ['location', location]
  return {
    kind: 'respond',
    status: action.status,
    headers,
    body: EMPTY,
    by: 'gateway',
  } satisfies Respond
}

const USUAL_PORT = { http: 80, https: 443 } as const

/** Another scheme or host has a port of its own; otherwise the client keeps the one it came to. */
function portOf(action: PreparedRedirect, exchange: Exchange): string {
  const scheme = action.scheme ?? exchange.scheme
  if (action.port !== null) return action.port === USUAL_PORT[scheme] ? '' : `:${action.port}`
  if (scheme !== exchange.scheme || action.host !== null) return ''
  return PORT.exec(headerValue(exchange.headers, 'host') ?? '')?.[0] ?? ''
}

const PORT = /:\d{1,5}$/

export function reject({ cause, because }: Rejected): Failure {
  return fail(cause, because)
}
