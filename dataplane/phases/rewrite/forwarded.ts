/**
 * Tells the backend how the client reached us: X-Forwarded-For, -Proto, -Host and Forwarded
 * (RFC 7239). What a client says of itself is passed on only where the peer is a trusted proxy.
 * Pinned by forwarded.test.ts: "only what a trusted proxy says is passed on, and we are appended".
 */
import type { Exchange } from '../../request/exchange.ts'
import { headerValue } from '../../request/headers.ts'

/** Of the exact names; what a trusted proxy sent in others stays as it is. */
export const WRITTEN: ReadonlySet<string> = new Set([
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'forwarded',
])

/** Appends to the flat list; every line of WRITTEN is already gone from it. */
export function pushForwarded(headers: string[], exchange: Exchange): void {
  const { peer, scheme } = exchange
  const host = headerValue(exchange.headers, 'host') ?? exchange.host
  const element = `for=${node(peer)};host=${quoted(host)};proto=${scheme}`
  headers.push('x-forwarded-for', appended(exchange, 'x-forwarded-for', peer))
  headers.push('x-forwarded-proto', scheme)
  headers.push('x-forwarded-host', trusted(exchange, 'x-forwarded-host') ?? host)
  headers.push('forwarded', appended(exchange, 'forwarded', element))
}

function trusted(exchange: Exchange, name: string): string | null {
  if (exchange.peerTrust === 'untrusted') return null
  const value = headerValue(exchange.headers, name)
  return value === null || value.trim() === '' ? null : value
}

function appended(exchange: Exchange, name: string, own: string): string {
  const before = trusted(exchange, name)
  return before === null ? own : `${before}, ${own}`
}

/** An address is a token, but IPv6 needs brackets and quotes (RFC 7239 section 6). */
function node(address: string): string {
  return address.includes(':') ? `"[${address}]"` : address
}

/** The front has read the host, so that it holds no quotes. */
function quoted(host: string): string {
  return host.includes(':') ? `"${host}"` : host
}
