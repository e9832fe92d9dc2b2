/**
 * Which header names a resource may read or write: a name that frames the message, that belongs to
 * one connection, or that the gateway itself speaks by is not for a policy or a route to touch.
 * Pinned by header-name.test.ts: "a name that frames the message or is the gateway's is refused".
 */

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

const FORBIDDEN = new Map([
  ['host', 'the Host that a backend sees is set by rewrite.host'],
  ['content-length', 'it frames the message'],
  ['transfer-encoding', 'it frames the message'],
  ['trailer', 'it frames the message'],
  ['te', 'it belongs to one connection'],
  ['connection', 'it belongs to one connection'],
  ['keep-alive', 'it belongs to one connection'],
  ['proxy-connection', 'it belongs to one connection'],
  ['upgrade', 'it belongs to one connection'],
])

/** Names that the gateway answers and is asked by. */
const OWN_PREFIX = 'x-fairlead-'

export type HeaderName =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'refused'; readonly because: string }

/** In lower case, or why the name cannot be used; the sentence says what to do. */
export function headerName(written: string): HeaderName {
  if (!TOKEN.test(written)) {
    const because = `"${written}" is no header name: use letters, digits and dashes, as in x-tenant.`
    return { kind: 'refused', because }
  }
  const name = written.toLowerCase()
  const why = FORBIDDEN.get(name)
  if (why !== undefined) {
    const because = `The header "${written}" cannot be used here, because ${why}; remove it.`
    return { kind: 'refused', because }
  }
  if (name.startsWith(OWN_PREFIX)) {
    const because = `Names that start with "${OWN_PREFIX}" are the gateway's own; choose another.`
    return { kind: 'refused', because }
  }
  return { kind: 'name', name }
}
