/**
 * The request of one call of an aggregate, from its expressions: only what the call names is sent,
 * never what the client sent beside it.
 * Pinned by aggregate-request.test.ts: "a header that a call sets stands alone".
 */
import { monotonicMs } from '../../clock.ts'
import type { Exchange } from '../../request/exchange.ts'
import { headerValue, withoutHeader } from '../../request/headers.ts'
import { traceContext } from '../../request/trace-context.ts'
import { isFailure, type Scope } from '../../runtime/expression-types.ts'
import { toJson } from '../../runtime/json-write.ts'
import type { UpstreamRequest } from '../../upstream/upstream.ts'
import { pushHeaders } from '../header-edits.ts'
import { type CallFailure, type CallWithin, failed } from './aggregate-call.ts'
import type { PreparedCall } from './prepared-aggregate.ts'

/** The request as it will be sent, or why it cannot be made. */
export function requestOf(
  prepared: PreparedCall,
  scope: Scope,
  within: CallWithin,
): UpstreamRequest | CallFailure {
  const { call } = prepared
  if (call.backend.kind === 'reject') return failed('unreachable')
  const target = targetOf(prepared, scope)
  const body = bodyOf(prepared, scope)
  if (target === null || body === 'missing') return failed('missing-input')
  const headers = headersOf(prepared, scope, { exchange: within.exchange, body })
  if (headers === null) return failed('missing-input')
  const now = monotonicMs()
  const own = call.timeoutMs === null ? Number.POSITIVE_INFINITY : now + call.timeoutMs
  return {
    backend: call.backend.backend,
    method: call.method,
    target,
    host: hostOf(call.backend.backend),
    headers,
    body: body?.bytes ?? null,
    deadlineMs: Math.min(own, within.deadlineMs),
    delivery: prepared.delivery,
  }
}

/** `namespace/service:port` → `service.namespace` */
function hostOf(backend: string): string {
  const [namespace = '', service = ''] = backend.replace(/:[^:]*$/, '').split('/')
  return `${service}.${namespace}`
}

/** Null: a value is missing, or would be no single segment. */
function targetOf({ segments, query }: PreparedCall, scope: Scope): string | null {
  let target = ''
  for (const segment of segments) {
    const text = segment.render(scope)
    if (isFailure(text)) return null
    target += `/${text}`
  }
  let separator = '?'
  for (const { name, value } of query) {
    const [left, right] = [name.render(scope), value.render(scope)]
    if (isFailure(left) || isFailure(right)) return null
    target += `${separator}${left}=${right}`
    separator = '&'
  }
  return target === '' || target.startsWith('?') ? `/${target}` : target
}

const TRACE_HEADERS = ['traceparent', 'tracestate'] as const

interface Around {
  readonly exchange: Exchange
  readonly body: Body | null
}

/** What the call sets takes the place of what is sent anyway; who calls is ours to say. */
function headersOf(
  { call, setHeaders }: PreparedCall,
  scope: Scope,
  { exchange, body }: Around,
): readonly string[] | null {
  const own: string[] = []
  if (pushHeaders(own, setHeaders, scope) !== null) return null
  const headers = ['accept', 'application/json', 'accept-encoding', 'identity']
  if (call.headers.forward.includes('trace')) pushTrace(headers, exchange)
  if (body !== null) headers.push('content-type', body.type)
  const identity = call.headers.forward.includes('identity') ? exchange.identityHeaders : null
  return replaced(replaced(headers, own), identity ?? [])
}

function pushTrace(headers: string[], exchange: Exchange): void {
  headers.push('x-request-id', exchange.id)
  if (traceContext(exchange.headers) !== 'valid') return
  for (const name of TRACE_HEADERS) {
    const value = headerValue(exchange.headers, name)
    if (value !== null) headers.push(name, value)
  }
}

/** Flat lists: the names of the second, which are in lower case, are only in it. */
function replaced(headers: readonly string[], by: readonly string[]): readonly string[] {
  let kept = headers
  for (let i = 0; i < by.length; i += 2) kept = withoutHeader(kept, by[i] ?? '')
  return by.length === 0 ? kept : [...kept, ...by]
}

interface Body {
  readonly bytes: Buffer
  readonly type: string
}

/** What comes out as text is sent as text, everything else as JSON. */
function bodyOf({ body }: PreparedCall, scope: Scope): Body | null | 'missing' {
  if (body === null) return null
  const value = body.fill(scope)
  if (isFailure(value)) return 'missing'
  if (typeof value === 'string') {
    return { bytes: Buffer.from(value, 'utf8'), type: 'text/plain; charset=utf-8' }
  }
  const text = toJson(value)
  return isFailure(text)
    ? 'missing'
    : { bytes: Buffer.from(text, 'utf8'), type: 'application/json' }
}

/**
 * What makes two requests one: all that is sent, and what is expected of the answer and when. Null:
 * it may change something, and is sent each time.
 */
export function flightKey({ expects }: PreparedCall, request: UpstreamRequest): string | null {
  const { method, backend, target, headers } = request
  if (method !== 'GET' && method !== 'HEAD') return null
  return JSON.stringify([method, backend, target, headers, expects])
}
