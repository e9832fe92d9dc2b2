/**
 * The head of a request as it goes over an HTTP/1.1 connection: one string, so that it leaves in one
 * write. Whatever came in by another door than the front (a template, an aggregate's call) is one
 * request here, or none.
 * Pinned by request-text.test.ts: "what is sent re-parses as what was meant, or is not sent".
 */
import { TARGET_BYTES_MAX } from '#wire/limits'
import {
  CHUNKED_LINE,
  fieldLine,
  KEEP_ALIVE_LINE,
  LINE_END,
  requestLine,
  UPGRADE_LINE,
} from '../http1/write.ts'
import { passes } from './request-head.ts'
import type { UpstreamRequest } from './upstream.ts'

// KEEP_ALIVE_LINE: servers of HTTP/1.0 keep a connection only for those who ask for it.

/** RFC 9110 section 8.6: where a body is expected, its absence is said with a length of 0. */
const EXPECT_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])
const NO_BODY_LINE = fieldLine('content-length', '0')

/** Null: it cannot be sent. */
export function requestText(request: UpstreamRequest): string | null {
  const { method, target, host, headers } = request
  if (!target.startsWith('/') || target.length > TARGET_BYTES_MAX) return null
  try {
    const first = requestLine(method, target) + fieldLine('host', host) + connectionLines(request)
    return first + passedLines(headers) + framingLine(request) + LINE_END
  } catch {
    return null
  }
}

function passedLines(headers: readonly string[]): string {
  let lines = ''
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? ''
    if (passes(name) === 'yes') lines += fieldLine(name, headers[i + 1] ?? '')
  }
  return lines
}

/** RFC 9110 section 7.8: the offer stands in a field that concerns this connection alone. */
function connectionLines({ upgrade, body }: UpstreamRequest): string {
  if (upgrade === undefined || body !== null) return KEEP_ALIVE_LINE
  return UPGRADE_LINE + fieldLine('upgrade', upgrade)
}

function framingLine({ method, body }: UpstreamRequest): string {
  if (Buffer.isBuffer(body)) return fieldLine('content-length', String(body.length))
  if (body === null || body.empty) return EXPECT_BODY.has(method) ? NO_BODY_LINE : ''
  const { bytesDeclared } = body
  return bytesDeclared === null ? CHUNKED_LINE : fieldLine('content-length', `${bytesDeclared}`)
}
