/**
 * The header list that goes to an upstream: built from parsed facts, never by copying what frames a
 * message. `rewrite` has already removed what is hop-by-hop; whatever could still make two servers
 * see two requests is dropped here again, because a list may also come from an aggregate's call.
 * Pinned by request-head.test.ts: "never frames the message twice".
 */
import type { UpstreamRequest } from './upstream.ts'

const DROPPED: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'proxy-connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'upgrade',
  'expect',
  'http2-settings',
])
const DROPPED_LENGTHS = new Uint8Array(64)
for (const name of DROPPED) DROPPED_LENGTHS[name.length] = 1

/** Whether a field of that name would frame the message, or concerns a connection. */
export function passes(name: string): 'yes' | 'no' {
  return DROPPED_LENGTHS[name.length] === 1 && DROPPED.has(name.toLowerCase()) ? 'no' : 'yes'
}

/** Flat list for undici: Host first, the length last where the body has one. */
export function requestHead(request: UpstreamRequest): string[] {
  const { headers, body } = request
  const out: string[] = ['host', request.host]
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? ''
    if (passes(name) === 'yes') out.push(name, headers[i + 1] ?? '')
  }
  // undici writes the length of a Buffer itself, and `0` where the method expects a body.
  if (body !== null && !Buffer.isBuffer(body) && !body.empty && body.bytesDeclared !== null) {
    out.push('content-length', String(body.bytesDeclared))
  }
  return out
}
