/**
 * A rule's cors made ready: which origins may call, and the lines that do not depend on who asks,
 * written once when the table arrives.
 * Pinned by prepared.test.ts: "an origin is allowed as the plain twin says".
 */
import type { Cors } from '#wire/traffic'

export interface PreparedCors {
  /** Whether everybody may, so that the answer is the same for all. */
  readonly anyOrigin: 'yes' | 'no'
  readonly exact: ReadonlySet<string>
  readonly below: readonly OriginsBelow[]
  /** Null: any. */
  readonly methods: ReadonlySet<string> | null
  /** Lower case. */
  readonly headers: ReadonlySet<string>
  readonly anyHeader: 'yes' | 'no'
  /** Flat lists of lines for each allowed answer, and for each allowed preflight. */
  readonly answerLines: readonly string[]
  readonly preflightLines: readonly string[]
}

/** `https://*.example.com:8443`: what stands before the star, and what follows it. */
interface OriginsBelow {
  readonly before: string
  readonly after: string
}

export function prepareCors(cors: Cors): PreparedCors {
  const stars = cors.origins.filter((origin) => origin.includes('*.'))
  return {
    anyOrigin: cors.origins.includes('*') ? 'yes' : 'no',
    exact: new Set(cors.origins),
    below: stars.map((origin) => {
      const star = origin.indexOf('*')
      return { before: origin.slice(0, star), after: origin.slice(star + 1) }
    }),
    methods: cors.methods === null ? null : new Set(cors.methods),
    headers: new Set(cors.headers),
    anyHeader: cors.headers.includes('*') ? 'yes' : 'no',
    answerLines: answerLines(cors),
    preflightLines: preflightLines(cors),
  }
}

function answerLines({ credentials, expose }: Cors): readonly string[] {
  const lines: string[] = []
  if (credentials === 'allowed') lines.push('access-control-allow-credentials', 'true')
  if (expose.length > 0) lines.push('access-control-expose-headers', expose.join(', '))
  return lines
}

function preflightLines({ methods, headers, maxAgeS }: Cors): readonly string[] {
  const lines: string[] = []
  if (methods !== null) lines.push('access-control-allow-methods', methods.join(', '))
  if (headers.length > 0) lines.push('access-control-allow-headers', headers.join(', '))
  if (maxAgeS !== null) lines.push('access-control-max-age', String(maxAgeS))
  return lines
}

/** Browsers write origins in lower case; whatever else comes is compared as it is, and differs. */
export function judgeOrigin(cors: PreparedCors, origin: string): 'allowed' | 'refused' {
  if (cors.anyOrigin === 'yes' || cors.exact.has(origin)) return 'allowed'
  const isBelow = cors.below.some(
    ({ before, after }) =>
      origin.length > before.length + after.length &&
      origin.startsWith(before) &&
      origin.endsWith(after) &&
      LABELS.test(origin.slice(before.length, -after.length)),
  )
  return isBelow ? 'allowed' : 'refused'
}

const LABELS = /^[a-z0-9_-]+(?:[.][a-z0-9_-]+)*$/
