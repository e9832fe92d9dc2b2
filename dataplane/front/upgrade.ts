/**
 * What a client offers in an `Upgrade` field. Versions of HTTP and TLS are never among it: whoever
 * let a backend switch to HTTP/2 would pass every later request of that connection unseen (h2c
 * smuggling), and a client that offers them has to take an answer in HTTP/1.1.
 * Pinned by upgrade.test.ts: "no spelling of HTTP or TLS is ever offered to a backend".
 */

export type Offer =
  | { readonly kind: 'none' }
  | { readonly kind: 'malformed' }
  /** As it goes to the backend. */
  | { readonly kind: 'offer'; readonly protocols: string }

export const NO_OFFER: Offer = { kind: 'none' }
const MALFORMED: Offer = { kind: 'malformed' }

/** One or two are usual; each is compared with what the backend takes. */
const PROTOCOLS_MAX = 8

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
/** RFC 9110 section 7.8: a name, and perhaps a version. */
const PROTOCOL = new RegExp(`^(${TOKEN})(?:/${TOKEN})?$`)

/** Registered names of what we speak ourselves; `h2` and `h3` for good measure. */
const OURS: ReadonlySet<string> = new Set(['http', 'h2c', 'h2', 'h3', 'tls'])

/** `value`: all lines of the field, joined by commas. */
export function readOffer(value: string): Offer {
  const kept: string[] = []
  for (const part of value.split(',')) {
    const protocol = part.trim()
    // RFC 9110 section 5.6.1: a recipient takes empty elements of a list for nothing.
    if (protocol === '') continue
    const name = PROTOCOL.exec(protocol)?.[1]
    if (name === undefined) return MALFORMED
    if (!OURS.has(name.toLowerCase())) kept.push(protocol)
  }
  if (kept.length > PROTOCOLS_MAX) return MALFORMED
  return kept.length === 0 ? NO_OFFER : { kind: 'offer', protocols: kept.join(', ') }
}
