/**
 * Path patterns as users write them, made into what the matcher walks: `/orders/{id}`, `/books/**`,
 * and the paths of rewrites and redirects that are built from what they captured. Literal text is
 * refused unless canonical, because requests are matched in that form and would never equal it.
 * Pinned by path-pattern.test.ts: "a pattern prints as it was written".
 */
import type { PathPattern, PathRewrite, PathSegment } from '#wire/table'
import { type CanonicalPath, canonicalPath } from '#wire/path'

export type ParsedPath =
  | { readonly kind: 'path'; readonly pattern: SegmentsPattern }
  | { readonly kind: 'refused'; readonly because: string }

export type SegmentsPattern = Extract<PathPattern, { kind: 'segments' }>

const PARAM = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/

export function parsePathPattern(text: string): ParsedPath {
  if (!text.startsWith('/')) return refused(`A path starts with a slash: write "/${text}".`)
  if (/[?#]/.test(text)) {
    return refused('A path holds no "?" or "#": match a query by queryParams.')
  }
  const words = text.slice(1).split('/')
  const end = words.at(-1) === '**' ? 'below' : 'exact'
  if (end === 'below') words.pop()
  const segments: PathSegment[] = []
  for (const word of words) {
    const because = reasonAgainst(word, segments)
    if (because !== null) return refused(because)
    const param = PARAM.exec(word)?.[1]
    segments.push(param === undefined ? { literal: word } : { param })
  }
  const pattern: SegmentsPattern = { kind: 'segments', segments, end }
  const because = reasonAgainstLiterals(words, end)
  return because === null ? { kind: 'path', pattern } : refused(because)
}

function reasonAgainst(word: string, before: readonly PathSegment[]): string | null {
  if (word.includes('*')) {
    return (
      `"${word}" is no wildcard: "/**" at the end of a path stands for everything below it, ` +
      '"{name}" for one segment, and pathRegex takes any pattern.'
    )
  }
  const param = PARAM.exec(word)?.[1]
  if (param === undefined && /[{}]/.test(word)) {
    return (
      `"${word}" is neither text nor a parameter: a parameter is a whole segment, "{name}" with ` +
      'letters, digits and underscores; for a part of a segment use pathRegex.'
    )
  }
  if (param !== undefined && before.some((s) => 'param' in s && s.param === param)) {
    return `The parameter "{${param}}" is there twice; give each its own name.`
  }
  return null
}

function reasonAgainstLiterals(words: readonly string[], end: 'exact' | 'below'): string | null {
  // Params become words that are canonical as they are; a path that ends in `/**` ends before it.
  const plain = words.map((word, i) => (PARAM.test(word) ? placeholder(i) : word))
  if (plain.length === 0) return null
  const written = `/${plain.join('/')}`
  const canonical = canonicalText(written)
  const shown = (path: string): string => {
    const named = words.reduce((text, word, i) => text.replace(placeholder(i), word), path)
    return end === 'below' ? `${named.replace(/\/$/, '')}/**` : named
  }
  if (canonical.kind === 'refused') return `No request can have this path. ${canonical.because}`
  if (end === 'below' && plain.at(-1) === '') return EMPTY_SEGMENT
  if (canonical.path === written) return null
  return (
    `Requests are matched in their canonical form, which this path never equals; ` +
    `write "${shown(canonical.path)}".`
  )
}

const EMPTY_SEGMENT = 'An empty segment is allowed only at the end of the path; remove one slash.'

function placeholder(position: number): string {
  return `~param${position}~`
}

/** The canonical form, or why there is none; text beyond ASCII is escaped first, as clients do. */
function canonicalText(written: string): CanonicalPath {
  return canonicalPath(written.replace(/[\u0080-\u{10ffff}]+/gu, escaped))
}

function escaped(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : '%'
}

function refused(because: string): { readonly kind: 'refused'; readonly because: string } {
  return { kind: 'refused', because }
}

// ---- paths that are built -------------------------------------------------------------------

export type ParsedRewrite =
  | { readonly kind: 'path'; readonly parts: PathRewrite }
  | { readonly kind: 'refused'; readonly because: string }

/** `/v2/**`, `/archive/{id}/lines-{id}`: literal text, and what the rule's matches captured. */
export function parsePathRewrite(text: string): ParsedRewrite {
  if (!text.startsWith('/')) return refused(`A path starts with a slash: write "/${text}".`)
  if (/[?#]/.test(text)) {
    return refused('A path holds no "?" or "#": the query of the request is kept as it is.')
  }
  const body = text.endsWith('/**') ? text.slice(0, -2) : text
  if (body.includes('*')) {
    return refused('"/**" stands for what the match has captured, only at the end of the path.')
  }
  const pieces = body.split(/\{([A-Za-z_][A-Za-z0-9_]*)\}/)
  if (pieces.some((piece, i) => i % 2 === 0 && /[{}]/.test(piece))) {
    return refused('A brace belongs to a parameter, "{name}" with letters, digits, underscores.')
  }
  const literal = pieces.map((piece, i) => (i % 2 === 0 ? piece : '~')).join('')
  const canonical = canonicalText(literal)
  if (canonical.kind === 'refused') {
    return refused(`Such a path cannot be sent. ${canonical.because}`)
  }
  if (canonical.path !== literal) return refused(builtForm(pieces, canonical.path))
  const parts = pieces.flatMap((piece, i) => partOf(piece, i))
  return { kind: 'path', parts: body === text ? parts : [...parts, { rest: true }] }
}

function builtForm(pieces: readonly string[], canonical: string): string {
  if (pieces.length > 1) {
    return 'The text of this path is not in canonical form: escape what must be, and nothing else.'
  }
  return `The text of this path is not in canonical form; write "${canonical}".`
}

function partOf(piece: string, position: number): PathRewrite {
  if (position % 2 === 1) return [{ param: piece }]
  return piece === '' ? [] : [{ literal: piece }]
}
