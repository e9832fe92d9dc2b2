/**
 * A path made from literal text and from what the match captured, for rewrites and redirects. What
 * comes out is canonical again: a capture can add segments, but never climb out of its place.
 * Pinned by built-path.test.ts: "a built path is canonical and never leaves its literal start".
 */
import { canonicalPath } from '#wire/path'
import type { PathRewrite } from '#wire/table'
import type { Exchange } from '../../request/exchange.ts'
import { type Failure, fail } from '../../request/failure.ts'

export type BuiltPath = { readonly kind: 'path'; readonly path: string } | Failure

export function builtPath(parts: PathRewrite, exchange: Exchange): BuiltPath {
  let text = ''
  for (const part of parts) {
    if ('literal' in part) text += part.literal
    else if ('param' in part) text += encoded(exchange.params[part.param] ?? '')
    else text = withRest(text, exchange.rest)
  }
  // Dot segments would be resolved, so that a capture of ".." could name another place.
  if (DOT_SEGMENT.test(text)) return INVALID
  const canonical = canonicalPath(text === '' ? '/' : text)
  return canonical.kind === 'path' ? canonical : INVALID
}

const DOT_SEGMENT = /\/\.{1,2}(?:\/|$)/
const INVALID = fail('rewrite-invalid', 'The path of this request cannot be rewritten.')

/** A pattern's group may hold slashes; a template's param cannot, escaped ones being refused. */
function encoded(value: string): string {
  return encodeURIComponent(value).replaceAll('%2F', '/')
}

/** `/v2/**`: `/v2` for nothing below, `/v2/` for the slash alone. */
function withRest(text: string, rest: string | null): string {
  if (rest === null) return text.endsWith('/') ? text.slice(0, -1) : text
  return text.endsWith('/') ? `${text}${rest}` : `${text}/${rest}`
}
