/**
 * Whether a request may come over the connection that it came over: one made for some certificates
 * must not carry requests of hosts that are shown with others (RFC 9110 section 7.4).
 * Pinned by misdirected.test.ts: "a host of another certificate gets 421, one of the same is served".
 */
import { type Failure, fail } from '../request/failure.ts'
import type { TlsHosts } from '../runtime/tls-hosts.ts'

/** How a connection came. */
export interface Arrival {
  readonly scheme: 'http' | 'https'
  /** The certificates that it was made for; null: none, it is plain. */
  readonly set: string | null
}

export const PLAIN: Arrival = { scheme: 'http', set: null }

export function misdirected({ set }: Arrival, host: string, tls: TlsHosts | null): Failure | null {
  if (set === null || tls?.of(host)?.set === set) return null
  return fail('misdirected', 'This connection is not for that host; open another one.')
}
