/**
 * What gRPC wants to be told in its own way: how long its client waits, and why a call has failed.
 * Its clients read a status of gRPC's and not one of HTTP's, wherever the answer comes from.
 * Pinned by grpc.test.ts: "a failure is the status that gRPC has for it".
 */
import type { Exchange } from './exchange.ts'
import type { Failure } from './failure.ts'
import { headerValue } from './headers.ts'

/** Also `application/grpc+proto` and grpc-web, whose clients read a status in the head as well. */
const TYPE = 'application/grpc'

/** Null: it is no call of gRPC; else its content type, which the answer has too. */
export function grpcType({ method, headers }: Pick<Exchange, 'method' | 'headers'>): string | null {
  if (method !== 'POST') return null
  const type = headerValue(headers, 'content-type')
  return type !== null && type.startsWith(TYPE) ? type : null
}

// ---- deadline -------------------------------------------------------------------------------

const TIMEOUT = /^(\d{1,8})([HMSmun])$/
const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
}

/** How long the client of the call waits for it; Infinity: it does not say. */
export function grpcTimeoutMs(headers: readonly string[]): number {
  const text = headerValue(headers, 'grpc-timeout')
  const read = text === null ? null : TIMEOUT.exec(text)
  const unitMs = UNIT_MS[read?.[2] ?? '']
  return read === null || unitMs === undefined ? Number.POSITIVE_INFINITY : Number(read[1]) * unitMs
}

// ---- status ---------------------------------------------------------------------------------

/** Of gRPC's own table from HTTP's statuses; what is not in it is 2, unknown. */
const STATUSES: Readonly<Record<number, number>> = {
  400: 13, // internal
  401: 16, // unauthenticated
  403: 7, // permission denied
  404: 12, // unimplemented
  429: 14, // unavailable
  502: 14,
  503: 14,
  504: 14,
}
const UNKNOWN = 2
const DEADLINE_EXCEEDED = 4

export function grpcStatus({ cause, status }: Pick<Failure, 'cause' | 'status'>): number {
  // Its client has waited for the same, and would say so itself.
  if (cause === 'upstream-timeout') return DEADLINE_EXCEEDED
  return STATUSES[status] ?? UNKNOWN
}

/** Printable ASCII but the per cent sign stays; all else is bytes of UTF-8, each as %XX. */
export function grpcMessage(text: string): string {
  let message = ''
  for (const byte of Buffer.from(text, 'utf8')) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25
    message += isPlain
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return message
}
