/**
 * What of a client's trailers may go upstream (RFC 9110 section 6.5.1): nothing that the head could
 * not have brought either, because a backend may join both. What frames, routes or proves who calls
 * is dropped again where the message is written.
 * Pinned by request-trailers.test.ts: "a trailer says nothing that a header could not have said".
 */
import type { Exchange } from '../../request/exchange.ts'
import type { ClientHeader, ClientHeaders } from '../../runtime/client-headers.ts'

/** Null: nothing is left. */
export function requestTrailers(
  trailers: readonly string[] | null,
  exchange: Exchange,
  clientHeaders: ClientHeaders,
): readonly string[] | null {
  if (trailers === null) return null
  const kept: string[] = []
  for (let i = 0; i + 1 < trailers.length; i += 2) {
    const name = trailers[i] ?? ''
    if (mayPass(clientHeaders.of(name), exchange)) kept.push(name, trailers[i + 1] ?? '')
  }
  return kept.length === 0 ? null : kept
}

function mayPass({ treatment, lower, folded }: ClientHeader, { rule, strip }: Exchange): boolean {
  if (treatment !== 'pass' || strip?.headers.includes(lower) === true) return false
  return rule?.requestHeaders?.removedFolded.includes(folded) !== true
}
