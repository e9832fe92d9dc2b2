/**
 * Every way in which an exchange can fail; the cause is also the word in x-fairlead-cause. A cause
 * becomes a response in phases/respond.ts and nowhere else.
 * Pinned by failure.test.ts: "docs/errors.md and this table name the same causes".
 */
import type { RejectCause } from '#wire/value'

export interface Facts {
  readonly status: number
  /** Title of the problem document (RFC 9457). */
  readonly title: string
  readonly fault: 'client' | 'upstream' | 'gateway'
  /** ifReused: the connection had served before, so the upstream may not have seen the request. */
  readonly retry: 'never' | 'always' | 'ifReused'
}

const client = (status: number, title: string): Facts => ({
  status,
  title,
  fault: 'client',
  retry: 'never',
})
const gateway = (status: number, title: string): Facts => ({
  status,
  title,
  fault: 'gateway',
  retry: 'never',
})
const upstream = (status: number, title: string, retry: Facts['retry']): Facts => ({
  status,
  title,
  fault: 'upstream',
  retry,
})

export const FACTS = {
  // the request itself
  'bad-request': client(400, 'Bad request'),
  'bad-path': client(400, 'Ambiguous path'),
  'target-too-long': client(414, 'URI too long'),
  'headers-too-large': client(431, 'Headers too large'),
  'request-timeout': client(408, 'Request timeout'),
  'expectation-failed': client(417, 'Expectation failed'),
  'upgrade-refused': client(400, 'Upgrade refused'),
  'not-implemented': client(501, 'Not implemented'),
  'version-not-supported': client(505, 'HTTP version not supported'),
  misdirected: client(421, 'Misdirected request'),
  'https-required': client(403, 'HTTPS required'),
  'client-closed': client(499, 'Client closed the request'),
  // match
  'no-route': client(404, 'No route'),
  'method-not-allowed': client(405, 'Method not allowed'),
  'address-refused': client(403, 'Address refused'),
  'cors-refused': client(403, 'Cross-origin call refused'),
  'body-too-large': client(413, 'Body too large'),
  'expression-failed': gateway(500, 'Expression failed'),
  // authenticate and authorize
  unauthenticated: client(401, 'Unauthenticated'),
  'credential-invalid': client(401, 'Invalid credential'),
  'ambiguous-credential': client(401, 'Ambiguous credential'),
  'insufficient-scope': client(403, 'Insufficient scope'),
  forbidden: client(403, 'Forbidden'),
  'keys-unavailable': gateway(503, 'Keys unavailable'),
  'header-missing': client(403, 'Required header cannot be computed'),
  // admit
  'rate-limited': client(429, 'Too many requests'),
  'concurrency-limited': client(429, 'Too many requests at once'),
  'limit-key-missing': client(403, 'Limit key missing'),
  // on purpose
  'fault-injected': gateway(503, 'Fault on purpose'),
  // the table says so
  'rule-invalid': gateway(500, 'Invalid rule'),
  'backend-invalid': gateway(500, 'Invalid backend'),
  'policy-missing': gateway(503, 'No policy'),
  'policy-invalid': gateway(503, 'Invalid policy'),
  'too-large': gateway(503, 'Configuration too large'),
  'rule-rejected': gateway(503, 'Rule rejected by this data plane'),
  // forward
  'no-endpoint': upstream(503, 'No endpoint', 'never'),
  'circuit-open': upstream(503, 'Backend full', 'never'),
  'upstream-connect': upstream(502, 'Upstream unreachable', 'always'),
  'upstream-reset': upstream(502, 'Upstream reset', 'ifReused'),
  'upstream-invalid': upstream(502, 'Invalid upstream answer', 'never'),
  'upstream-timeout': upstream(504, 'Upstream timeout', 'never'),
  'rewrite-invalid': gateway(500, 'Invalid rewritten path'),
  // aggregate
  'call-failed': upstream(502, 'A required call failed', 'never'),
  'call-timeout': upstream(504, 'A required call timed out', 'never'),
  'missing-input': upstream(502, 'A required call lacks its input', 'never'),
  'response-invalid': gateway(500, 'The response cannot be built'),
  // ourselves
  overloaded: gateway(503, 'Overloaded'),
  draining: gateway(503, 'Draining'),
  bug: gateway(500, 'Internal error'),
} as const satisfies Record<string, Facts>

export type Cause = keyof typeof FACTS
/** Every reject of the table is a cause. */
type RejectsAreCauses = RejectCause extends Cause ? true : never
export const REJECTS_ARE_CAUSES: RejectsAreCauses = true

export interface Failure {
  readonly kind: 'fail'
  readonly cause: Cause
  /** Replaces the cause in x-fairlead-cause where a policy names its own word. */
  readonly word: string | null
  readonly status: number
  readonly fault: Facts['fault']
  readonly retry: Facts['retry']
  /** Shown to the client: never an address, a stack or a secret. */
  readonly detail: string
  /** Flat list of extra headers: WWW-Authenticate, Allow, Retry-After. */
  readonly headers: readonly string[]
}

const NONE: readonly string[] = []

export function fail(cause: Cause, detail: string, headers: readonly string[] = NONE): Failure {
  const { status, fault, retry } = FACTS[cause]
  return { kind: 'fail', cause, word: null, status, fault, retry, detail, headers }
}
