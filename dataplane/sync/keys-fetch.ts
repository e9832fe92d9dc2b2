/**
 * One look at an issuer: its discovery document where that is the source, then its key set. What
 * comes back are public keys that can verify, or why there are none.
 * Pinned by keys-fetch.test.ts: "a discovery document of another issuer is refused".
 */
import type { Egress, FetchBounds } from '../egress.ts'
import { publicJwk, verifyKey } from '../phases/authenticate/jwk.ts'
import type { KeySource, PublicJwk } from './keys-message.ts'

export type FetchedKeys =
  | { readonly kind: 'keys'; readonly keys: readonly PublicJwk[] }
  /** A sentence for logs and status; holds no byte of an answer. */
  | { readonly kind: 'failed'; readonly because: string }

/** For each of the two requests. */
export const FETCH_TIMEOUT_MS = 5_000
/** Discovery documents are some KiB; key sets of the largest issuers stay under 50. */
const DOCUMENT_BYTES_MAX = 256 * 1024
/** Every key is tried for a token that names none: the largest issuers publish about ten. */
const KEYS_MAX = 100

export async function fetchKeys(
  source: KeySource,
  egress: Egress,
  timeoutMs: number = FETCH_TIMEOUT_MS,
): Promise<FetchedKeys> {
  const way = { egress, bounds: { timeoutMs, bytesMax: DOCUMENT_BYTES_MAX } }
  switch (source.kind) {
    case 'discovery':
      return discover(source.issuer, way)
    case 'jwksUri':
      return readKeySet(source.uri, way)
    case 'service': {
      const { issuer, uri, addresses } = source
      const at = { ...way, bounds: { ...way.bounds, at: { url: uri ?? issuer, addresses } } }
      return uri === null ? discover(issuer, at) : readKeySet(uri, at)
    }
    default:
      return source satisfies never
  }
}

interface Way {
  readonly egress: Egress
  readonly bounds: FetchBounds
}

async function discover(issuer: string, way: Way): Promise<FetchedKeys> {
  // OpenID Connect Discovery 4: a slash at the end of the issuer is not doubled
  const base = issuer.replace(/\/$/, '')
  const read = await document(`${base}/.well-known/openid-configuration`, way)
  if (read.kind === 'failed') return read
  if (read.members.get('issuer') !== issuer) {
    return failed('The discovery document is of another issuer.')
  }
  const uri = read.members.get('jwks_uri')
  if (typeof uri !== 'string') return failed('The discovery document names no jwks_uri.')
  return readKeySet(uri, way)
}

async function readKeySet(uri: string, way: Way): Promise<FetchedKeys> {
  const read = await document(uri, way)
  if (read.kind === 'failed') return read
  const listed = read.members.get('keys')
  if (!Array.isArray(listed)) return failed('The key set has no list of keys.')
  if (listed.length > KEYS_MAX) return failed(`The key set has more than ${KEYS_MAX} keys.`)
  const keys = listed.flatMap((jwk) => usableKey(jwk) ?? [])
  return keys.length === 0
    ? failed('The key set has no key that can verify.')
    : { kind: 'keys', keys }
}

/** Sets hold keys for other uses too: they are left out, not held against the set. */
export function usableKey(value: unknown): PublicJwk | null {
  const jwk = publicJwk(value)
  if ('because' in jwk) return null
  return 'because' in verifyKey(jwk) ? null : jwk
}

type Document =
  | { readonly kind: 'document'; readonly members: ReadonlyMap<string, unknown> }
  | Extract<FetchedKeys, { kind: 'failed' }>

async function document(url: string, { egress, bounds }: Way): Promise<Document> {
  const fetched = await egress.get(url, bounds)
  if (fetched.kind === 'failed') return failed(`The URL ${url} ${fetched.because}.`)
  try {
    const value: unknown = JSON.parse(fetched.bytes.toString('utf8'))
    if (typeof value === 'object' && value !== null) {
      return { kind: 'document', members: new Map(Object.entries(value)) }
    }
  } catch {
    // said below: the parser's own words would quote the answer
  }
  return failed(`The URL ${url} answers with something that is not a JSON object.`)
}

function failed(because: string): Extract<FetchedKeys, { kind: 'failed' }> {
  return { kind: 'failed', because }
}
