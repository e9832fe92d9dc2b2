/**
 * Lets pages of other origins call a rule, as WHATWG Fetch section 3.3 has it. A preflight is
 * answered here, before anything asks who calls: browsers send none of the caller's credentials with
 * it. What makes an answer readable is put on every answer of the rule, also on refusals.
 * Pinned by cors.test.ts: "a preflight is judged as the plain twin judges it".
 */
import assert from 'node:assert/strict'
import type { Exchange } from '../request/exchange.ts'
import { fail } from '../request/failure.ts'
import { headerValue, isSameName, variesBy } from '../request/headers.ts'
import { CONTINUE, type Outcome } from '../request/outcome.ts'
import { judgeOrigin, type PreparedCors } from './cors/prepared.ts'

/** The method that a preflight asks for; null: the request is none (Fetch section 3.3.2). */
export function requestedMethod(exchange: Exchange): string | null {
  if (exchange.method !== 'OPTIONS' || headerValue(exchange.headers, 'origin') === null) return null
  return headerValue(exchange.headers, 'access-control-request-method')
}

export function preflight(exchange: Exchange): Outcome {
  assert(exchange.rule !== null, 'match has set the rule')
  const { cors } = exchange.rule
  if (cors === null) return CONTINUE
  const method = requestedMethod(exchange)
  return method === null ? CONTINUE : judged(method, cors, exchange)
}

/** Caches must not give one page the answer that was made for another. */
const VARY = ['vary', 'access-control-request-method, access-control-request-headers']

function judged(method: string, cors: PreparedCors, { headers: asked }: Exchange): Outcome {
  const origin = headerValue(asked, 'origin') ?? ''
  if (judgeOrigin(cors, origin) === 'refused') {
    return fail('cors-refused', 'Pages of this origin may not call this route.', VARY)
  }
  if (cors.methods !== null && !cors.methods.has(method)) {
    return fail('cors-refused', 'Pages of other origins may not use this method here.', VARY)
  }
  const names = headerValue(asked, 'access-control-request-headers')
  if (names !== null && !areAllowed(names, cors)) {
    return fail('cors-refused', 'Pages of other origins may not send these headers here.', VARY)
  }
  const headers = [...cors.preflightLines, ...VARY]
  if (cors.methods === null) headers.push('access-control-allow-methods', method)
  return { kind: 'respond', status: 204, headers, body: { kind: 'empty' }, by: 'gateway' }
}

function areAllowed(list: string, { headers, anyHeader }: PreparedCors): boolean {
  return list.split(',').every((item) => {
    const name = item.trim().toLowerCase()
    if (name === '' || headers.has(name)) return true
    // Fetch section 4.9: a star never stands for Authorization.
    return anyHeader === 'yes' && name !== 'authorization'
  })
}

// ---- on every answer of the rule ------------------------------------------------------------

/** What a backend says of this would contradict the rule. */
const OWN_NAMES = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-expose-headers',
]

/** The list for this client; `headers` is left as it is. */
export function withCors(
  headers: readonly string[],
  cors: PreparedCors,
  exchange: Exchange,
): string[] {
  const own: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? ''
    if (!OWN_NAMES.some((one) => isSameName(name, one))) own.push(name, headers[i + 1] ?? '')
  }
  const origin = headerValue(exchange.headers, 'origin')
  if (cors.anyOrigin === 'yes') own.push('access-control-allow-origin', '*', ...cors.answerLines)
  else {
    if (!variesBy(own, 'origin')) own.push('vary', 'origin')
    if (origin !== null && judgeOrigin(cors, origin) === 'allowed') {
      own.push('access-control-allow-origin', origin, ...cors.answerLines)
    }
  }
  return own
}
