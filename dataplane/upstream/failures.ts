/**
 * What undici throws, as a Failure: cause, whose fault, and whether another try may help. The
 * detail is a constant sentence per case: no address and no byte of an answer can be in it.
 * Pinned by failures.test.ts: "every error of the client library has a cause".
 */
import { type Failure, fail } from '../request/failure.ts'
import { BodyAborted } from './body-stream.ts'

/** How far an attempt had come when it failed. */
export type Stage =
  /** No connection was there yet: nothing was sent. */
  | 'connecting'
  /** Something may have been sent, no answer has begun. */
  | 'waiting'
  /** The head has been passed on. */
  | 'answering'

/** The upstream's answer breaks a rule of ours that undici does not have. */
export class InvalidAnswer extends Error {
  override readonly name = 'InvalidAnswer'
}

export const DETAILS = {
  connect: 'The backend cannot be reached.',
  reset: 'The backend closed the connection before it had answered.',
  truncated: 'The backend closed the connection in the middle of its answer.',
  invalid: 'The answer of the backend is not valid HTTP.',
  bug: 'The request could not be sent to the backend.',
  timeout: 'The backend did not answer in time.',
  stalled: 'The backend stopped in the middle of its answer.',
  idle: 'Nothing has moved between client and backend for too long.',
  crowded: 'Too many requests wait for a connection to the backend.',
  client: 'The client closed the connection.',
} as const

const INVALID_CODES: ReadonlySet<string> = new Set([
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_RES_EXCEEDED_MAX_SIZE',
  'ERR_ASSERTION',
])

/** A request that undici refuses to send: we have built it wrongly. */
const REFUSED_CODES: ReadonlySet<string> = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_INVALID_RETURN_VALUE',
])

export function failureOf(error: unknown, stage: Stage): Failure {
  if (error instanceof BodyAborted) return fail('client-closed', DETAILS.client)
  if (error instanceof InvalidAnswer) return fail('upstream-invalid', DETAILS.invalid)
  const code = codeOf(error)
  if (REFUSED_CODES.has(code)) return fail('bug', DETAILS.bug)
  if (stage === 'connecting') return fail('upstream-connect', DETAILS.connect)
  if (isOfParser(error) || INVALID_CODES.has(code)) {
    return fail('upstream-invalid', DETAILS.invalid)
  }
  if (!isTransport(code)) return fail('bug', DETAILS.bug)
  return fail('upstream-reset', stage === 'answering' ? DETAILS.truncated : DETAILS.reset)
}

/** They carry no code in undici 8.13. By name: without a backend that needs undici it is not loaded. */
function isOfParser(error: unknown): boolean {
  return error instanceof Error && error.name === 'HTTPParserError'
}

/** Of a socket (`ECONNRESET`), of undici, or of an HTTP/2 session; all else is a bug of ours. */
function isTransport(code: string): boolean {
  return code.startsWith('UND_ERR_') || code.startsWith('ERR_HTTP2_') || /^E[A-Z0-9]+$/.test(code)
}

/** Errors of Node and undici have a code; anything without one was thrown by our own handlers. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}
