/**
 * The Host of a request as the table spells it: lower case, without port and trailing dot. What
 * another server could read as a different host is refused. The front asks before anything else.
 * Pinned by host.test.ts: "agrees with its plain twin on any text".
 */
import { parseAddress } from '#wire/address'

export type ReadHost =
  | { readonly kind: 'host'; readonly host: string }
  /** A sentence for the client. */
  | { readonly kind: 'refused'; readonly because: string }

/** RFC 1035: at most 253 characters, of which a label has 63. Internal names have underscores. */
const NAME = /^(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?$/
const NAME_MAX = 253

/** What a connection remembers of its last request. */
export interface LastHost {
  value: string
  read: ReadHost
}

/** As readHost, but the same line again costs one comparison. */
export function readHostAgain(value: string, last: LastHost): ReadHost {
  if (value === last.value) return last.read
  last.value = value
  last.read = readHost(value)
  return last.read
}

const PORT = /^(?:[0-9]{1,5})?$/
const PORT_MAX = 65_535
const BRACKETED = /^\[([0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)\](?::(.*))?$/

const REFUSED: ReadHost = { kind: 'refused', because: 'The Host header does not name a host.' }

export function readHost(value: string): ReadHost {
  if (value.startsWith('[')) return readBracketed(value)
  const colon = value.indexOf(':')
  const name = colon < 0 ? value : value.slice(0, colon)
  if (colon >= 0 && !isPort(value.slice(colon + 1))) return REFUSED
  const host = nameOf(name)
  return host === null ? REFUSED : { kind: 'host', host }
}

function isPort(text: string): boolean {
  return PORT.test(text) && Number(text) <= PORT_MAX
}

/** Lower case and without a last dot, or null. */
function nameOf(text: string): string | null {
  if (!NAME.test(text)) return null
  const name = text.endsWith('.') ? text.slice(0, -1) : text
  return name.length > NAME_MAX ? null : name.toLowerCase()
}

/** An IPv6 literal keeps its brackets. Zones and IPvFuture name nothing that we could serve. */
function readBracketed(value: string): ReadHost {
  const [, inner, port] = BRACKETED.exec(value) ?? []
  if (inner === undefined || parseAddress(inner) === null) return REFUSED
  if (port !== undefined && !isPort(port)) return REFUSED
  return { kind: 'host', host: `[${inner.toLowerCase()}]` }
}
