/**
 * Whether an answer is worth compressing, and in which coding its client takes it (RFC 9110 sections
 * 8.4 and 12.5.3). Asked by respond once the head of the answer is known.
 * Pinned by encoding.test.ts: "the coding is the one that the plain twin picks".
 */
import type { Compression } from '#wire/traffic'
import { headerValue } from '../../request/headers.ts'
import type { AnswerBody } from '../../request/outcome.ts'
import type { Head } from './head.ts'

export interface PreparedCompression {
  readonly exact: ReadonlySet<string>
  /** With their slash: `text/`. */
  readonly families: ReadonlySet<string>
  readonly minBytes: number
}

export function prepareCompression({ types, minBytes }: Compression): PreparedCompression {
  const families = types.filter((type) => type.endsWith('*'))
  return {
    exact: new Set(types),
    families: new Set(families.map((type) => type.slice(0, -1))),
    minBytes,
  }
}

/** Not for what was encoded or cut already, and not where somebody forbids to transform it. */
export function worth(
  { status, headers, content }: Head,
  body: AnswerBody,
  compression: PreparedCompression,
): 'yes' | 'no' {
  if (content === 'none' || status === 206 || sizeOf(body) < compression.minBytes) return 'no'
  if (headerValue(headers, 'content-encoding') !== null) return 'no'
  if (headerValue(headers, 'content-range') !== null) return 'no'
  return forbidsTransform(headers) === 'yes' || !isListed(headers, compression) ? 'no' : 'yes'
}

/** One that does not say how long it is may be long. */
function sizeOf(body: AnswerBody): number {
  if (body.kind === 'stream') return body.stream.bytesDeclared ?? Number.POSITIVE_INFINITY
  return body.kind === 'bytes' ? body.bytes.length : -1
}

/** RFC 9111 sections 5.2.1.6 and 5.2.2.6: of a request as of an answer. */
export function forbidsTransform(headers: readonly string[]): 'yes' | 'no' {
  const directives = headerValue(headers, 'cache-control')
  return directives !== null && /(?:^|[\s,])no-transform(?:$|[\s,])/i.test(directives)
    ? 'yes'
    : 'no'
}

export function mediaType(headers: readonly string[]): string {
  const type = headerValue(headers, 'content-type') ?? ''
  const end = type.indexOf(';')
  return (end === -1 ? type : type.slice(0, end)).trim().toLowerCase()
}

function isListed(headers: readonly string[], { exact, families }: PreparedCompression): boolean {
  const type = mediaType(headers)
  return exact.has(type) || families.has(type.slice(0, type.indexOf('/') + 1))
}

// ---- what the client takes ------------------------------------------------------------------

/** The cheaper one first, among those that a client likes equally. */
export const CODINGS = ['zstd', 'br', 'gzip'] as const
export type Coding = (typeof CODINGS)[number]

/** `identity`: as it is. Null: the client has said nothing, and old ones would not understand. */
export function codingFor(acceptEncoding: string | null): Coding | 'identity' {
  if (acceptEncoding === null) return 'identity'
  const weights = weightsOf(acceptEncoding)
  const others = weights.get('*') ?? 0
  let best: Coding | 'identity' = 'identity'
  let bestWeight = weights.get('identity') ?? 0
  for (const coding of CODINGS) {
    const weight = weights.get(coding) ?? others
    if (weight > 0 && (weight > bestWeight || (weight === bestWeight && best === 'identity'))) {
      best = coding
      bestWeight = weight
    }
  }
  return best
}

const WEIGHT = /^[qQ]=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/

/** What cannot be read is as if it were not there. */
function weightsOf(list: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>()
  for (const item of list.split(',')) {
    const [name = '', parameter] = item.split(';')
    const weight = parameter === undefined ? '1' : WEIGHT.exec(parameter.trim())?.[1]
    const coding = name.trim().toLowerCase()
    // RFC 9110 section 8.4.1.3: an old name of the same coding.
    if (weight !== undefined) weights.set(coding === 'x-gzip' ? 'gzip' : coding, Number(weight))
  }
  return weights
}
