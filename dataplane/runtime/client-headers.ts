/**
 * Which of a client's header lines may go upstream, decided once for each spelling of a name. What
 * the gateway says about a caller must not be sayable by the caller, so every name that a backend
 * could fold to one of ours is taken away, on every route.
 * Pinned by client-headers.test.ts: "no spelling of a name that the gateway sets passes".
 */

export interface ClientHeader {
  /**
   * pass: goes upstream · drop: never does · connection: lists others · cookie: may hold
   * credentials · forwarded: passes from a trusted proxy only, and is then appended to.
   */
  readonly treatment: 'pass' | 'drop' | 'connection' | 'cookie' | 'forwarded'
  readonly lower: string
  readonly folded: string
}

export interface ClientHeaders {
  of(name: string): ClientHeader
}

/** Names that belong to the connection (RFC 9110, 7.6.1), to framing, or to us. */
const DROPPED: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'expect',
  'http2-settings',
  'x-request-id',
])
const OWN_PREFIXES = ['x-consumer-', 'x-fairlead-']
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Distinct spellings kept; real traffic has some dozens. */
const NAMES_MAX = 2_000
/** Longer names are judged anew each time, so that the memory stays small. */
const NAME_BYTES_MAX = 64

/**
 * The widest folding that we know of: CGI turns `-` into `_`, others `.` and further characters.
 * Case folding beyond ASCII needs characters that no name may have: those are dropped.
 */
export function foldedName(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '-')
}

/** `identity`: folded names of every header that some policy of the table forwards. */
export function clientHeaders(identity: ReadonlySet<string>): ClientHeaders {
  const known = new Map<string, ClientHeader>()
  return {
    of(name: string): ClientHeader {
      const before = known.get(name)
      if (before !== undefined) return before
      const judged = judge(name, identity)
      if (name.length > NAME_BYTES_MAX) return judged
      if (known.size >= NAMES_MAX) known.clear()
      known.set(name, judged)
      return judged
    },
  }
}

function judge(name: string, identity: ReadonlySet<string>): ClientHeader {
  const lower = name.toLowerCase()
  const folded = foldedName(name)
  return { treatment: treatmentOf(name, folded, identity), lower, folded }
}

function treatmentOf(
  name: string,
  folded: string,
  identity: ReadonlySet<string>,
): ClientHeader['treatment'] {
  if (!TOKEN.test(name)) return 'drop'
  if (folded === 'connection') return 'connection'
  if (DROPPED.has(folded) || identity.has(folded)) return 'drop'
  if (OWN_PREFIXES.some((prefix) => folded.startsWith(prefix))) return 'drop'
  if (folded === 'forwarded' || folded.startsWith('x-forwarded-')) return 'forwarded'
  return folded === 'cookie' ? 'cookie' : 'pass'
}
