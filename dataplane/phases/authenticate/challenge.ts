/**
 * The WWW-Authenticate lines of a policy's answers: what a client would have to show, and what was
 * wrong with what it has shown (RFC 9110 section 11.6.1, RFC 6750 section 3).
 * Pinned by challenge.test.ts: "a challenge is written once for each scheme".
 */
import type { AuthenticateEntry, Carrier } from '#wire/auth'

/** Flat header lists, made when the table arrives. */
export interface Challenges {
  /** Nothing was presented: no error code (RFC 6750, 3.1). */
  readonly absent: readonly string[]
  readonly invalid: readonly string[]
  /** Two credentials where one was to be (RFC 6750, 3.1: invalid_request). */
  readonly ambiguous: readonly string[]
}

const REALM = 'realm="fairlead"'

/** Where no policy says what could be shown (RFC 9110, 15.5.2: a 401 names something). */
export const BEARER_CHALLENGE: readonly string[] = ['www-authenticate', `Bearer ${REALM}`]

export function challengesOf(entries: readonly AuthenticateEntry[]): Challenges {
  const bearers = new Set<string>()
  const others = new Set<string>()
  for (const entry of entries) {
    if (entry.kind === 'anonymous') continue
    for (const carrier of entry.from) {
      if (isBearer(carrier, entry.kind)) bearers.add(`Bearer ${REALM}`)
      else others.add(challengeOf(carrier))
    }
  }
  const lines = (bearerError: string): readonly string[] =>
    [...[...bearers].map((bearer) => `${bearer}${bearerError}`), ...others].flatMap((line) => [
      'www-authenticate',
      line,
    ])
  return {
    absent: lines(''),
    invalid: lines(', error="invalid_token"'),
    ambiguous: lines(', error="invalid_request"'),
  }
}

/** RFC 6750, 3.1: the scopes are space-separated in the order in which they were written. */
export function insufficientScope(scopes: readonly string[]): readonly string[] {
  const wanted = scopes.join(' ')
  return ['www-authenticate', `Bearer ${REALM}, error="insufficient_scope", scope="${wanted}"`]
}

/** A token is a bearer token wherever it stands; a key is one where it is sent as such. */
function isBearer(carrier: Carrier, kind: 'jwt' | 'apiKey'): boolean {
  if (kind === 'jwt') return true
  return carrier.kind === 'header' && carrier.scheme?.toLowerCase() === 'bearer'
}

/** No scheme is registered for keys: the parameters say where one belongs. */
function challengeOf(carrier: Carrier): string {
  if (carrier.kind === 'header' && carrier.scheme !== null) return `${carrier.scheme} ${REALM}`
  const where = carrier.kind === 'queryParam' ? 'query' : carrier.kind
  return `ApiKey ${REALM}, in="${where}", name=${quoted(carrier.name)}`
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
}
