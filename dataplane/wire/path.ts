/**
 * The one form in which a path is matched, authorised and forwarded. The front brings each request
 * into it, the controller each path that a user writes, and rewrite what it has built; what another
 * server could read as a different path is refused, never guessed.
 * Pinned by path.test.ts: "a canonical path stays as it is, and never holds what is refused".
 */

export type CanonicalPath =
  | { readonly kind: 'path'; readonly path: string }
  /** A sentence for the client: it names the rule that was broken, never more than that. */
  | { readonly kind: 'refused'; readonly because: string }

/** What a character of a path means to the two scans below. */
const PLAIN = 0
const SLASH = 1
const DOT = 2
/** Legal only as an escape: one spelling of it, so that rules and requests agree. */
const ENCODE = 3
const PERCENT = 4
const REFUSED = 5

const CLASSES = classes()

function classes(): Uint8Array {
  const of = new Uint8Array(128).fill(REFUSED)
  const mark = (characters: string, meaning: number): void => {
    for (let i = 0; i < characters.length; i++) of[characters.charCodeAt(i)] = meaning
  }
  mark('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~', PLAIN)
  mark("!$&'()*+,=:@", PLAIN) // what RFC 3986 allows beside them in a segment, but `;`
  mark('"<>[]^`{|}', ENCODE)
  mark('/', SLASH)
  mark('.', DOT)
  mark('%', PERCENT)
  return of
}

/** `raw`: the path of a request target, without `?` and what follows it. */
export function canonicalPath(raw: string): CanonicalPath {
  return isCanonical(raw) ? { kind: 'path', path: raw } : canonicalise(raw)
}

/** The common case, in one scan: nothing escaped, no empty or dotted segment ends. */
function isCanonical(raw: string): boolean {
  if (raw.charCodeAt(0) !== 0x2f) return false
  let before = PLAIN
  for (let i = 0; i < raw.length; i++) {
    const now = CLASSES[raw.charCodeAt(i)] ?? REFUSED
    if (now >= ENCODE) return false
    if (now === SLASH && before !== PLAIN) return false
    before = now
  }
  return before !== DOT
}

const REASONS = {
  start: 'The path must start with a slash.',
  empty: 'An empty segment is allowed only at the end of the path.',
  character: 'The path holds a character that must not stand there unescaped.',
  percent: 'A percent sign must be followed by two hexadecimal digits.',
  escape: 'The path holds an escaped slash, backslash, semicolon or control character.',
  twice: 'The path is escaped twice.',
  utf8: 'The escapes of the path are not UTF-8.',
  dots: 'A segment must not be an escaped "." or "..".',
  end: 'A segment must not end in a dot or a space.',
} as const
type Reason = keyof typeof REASONS

/** Segments that vanish by dot segments are checked too: another server may keep them. */
function canonicalise(raw: string): CanonicalPath {
  if (!raw.startsWith('/')) return refused('start')
  const segments = raw.slice(1).split('/')
  const kept: string[] = []
  for (const [i, segment] of segments.entries()) {
    const last = i === segments.length - 1
    if (segment === '' && !last) return refused('empty')
    if (segment === '.' || segment === '..') {
      if (segment === '..') kept.pop()
      if (last) kept.push('')
      continue
    }
    const canonical = canonicalSegment(segment)
    if (canonical.kind === 'refused') return refused(canonical.reason)
    kept.push(canonical.text)
  }
  return { kind: 'path', path: `/${kept.join('/')}` }
}

function refused(reason: Reason): CanonicalPath {
  return { kind: 'refused', because: REASONS[reason] }
}

type Segment =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'refused'; readonly reason: Reason }

const ESCAPE = /^[0-9A-Fa-f]{2}$/
const ESCAPED_TWICE = /%25[0-9A-Fa-f]{2}/

function canonicalSegment(segment: string): Segment {
  let text = ''
  for (let i = 0; i < segment.length; i++) {
    const character = segment.charAt(i)
    const now = CLASSES[segment.charCodeAt(i)] ?? REFUSED
    if (now === REFUSED) return { kind: 'refused', reason: 'character' }
    if (now === PERCENT) {
      const digits = segment.slice(i + 1, i + 3)
      if (!ESCAPE.test(digits)) return { kind: 'refused', reason: 'percent' }
      text += canonicalEscape(digits)
      i += 2
    } else {
      text += now === ENCODE ? escapeOf(segment.charCodeAt(i)) : character
    }
  }
  // On the result, so that decoding can never produce what is refused.
  const reason = reasonAgainst(text)
  return reason === null ? { kind: 'text', text } : { kind: 'refused', reason }
}

const UNRESERVED = /^[A-Za-z0-9\-._~]$/

function canonicalEscape(digits: string): string {
  const character = String.fromCharCode(Number.parseInt(digits, 16))
  return UNRESERVED.test(character) ? character : `%${digits.toUpperCase()}`
}

function escapeOf(code: number): string {
  return `%${code.toString(16).toUpperCase()}`
}

const REFUSED_ESCAPE = /%(?:[01][0-9A-F]|7F|2F|5C|3B)/

function reasonAgainst(text: string): Reason | null {
  if (text === '.' || text === '..') return 'dots'
  if (text.endsWith('.') || text.endsWith('%20')) return 'end'
  if (REFUSED_ESCAPE.test(text)) return 'escape'
  if (ESCAPED_TWICE.test(text)) return 'twice'
  return hasUtf8Escapes(text) ? null : 'utf8'
}

/** Whether every escape is whole, and what they spell is UTF-8. */
export function hasUtf8Escapes(text: string): boolean {
  if (!text.includes('%')) return true
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** Of a canonical path: what stands between the slashes; a trailing slash is a last ''. */
export function segmentsOf(path: string): string[] {
  return path.slice(1).split('/')
}

/** Of one canonical segment, or several: its escapes are UTF-8, so that this cannot fail. */
export function decodedSegment(segment: string): string {
  return segment.includes('%') ? decodeURIComponent(segment) : segment
}
