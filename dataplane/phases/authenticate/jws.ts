/**
 * The signature of a token: RFC 7515 compact form, read strictly, verified at once with a key of
 * the set that was chosen by configuration. Nothing in a token ever names a key that is not there,
 * or an address that we would open: `jwk`, `jku`, `x5u` and `x5c` are not looked at.
 * Pinned by jws.test.ts: "what it accepts, jose accepts, and nothing hostile passes".
 */
import { constants, verify } from 'node:crypto'
import { JWT_ALGORITHMS, type JwtAlgorithm } from '#wire/auth'
import type { VerifyKey } from './jwk.ts'
import { parseStrictObject, type StrictObject, type StrictValue } from './strict-json.ts'

/** Larger ones do not fit what servers take as headers; it bounds what hashing and parsing cost. */
export const TOKEN_CHARS_MAX = 16 * 1024
/** Keys tried for one token: several only where a set holds keys without distinct names. */
const KEYS_TRIED_MAX = 4

/** Read, and not believed yet. */
export interface Jws {
  readonly kind: 'jws'
  readonly algorithm: JwtAlgorithm
  readonly kid: string | null
  readonly payload: StrictObject
  /** Header and payload as they were signed. */
  readonly signed: string
  readonly signature: Buffer
}

export interface Malformed {
  readonly kind: 'malformed'
  readonly because: string
}

export function parseJws(token: string): Jws | Malformed {
  if (token.length > TOKEN_CHARS_MAX) return malformed('is too long')
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  if (first === -1 || second === -1 || token.includes('.', second + 1)) {
    return malformed('is not a signed token of three parts')
  }
  const header = part(token.slice(0, first))
  const payload = part(token.slice(first + 1, second))
  const signature = decodeBase64Url(token.slice(second + 1))
  if (header === null || payload === null || signature === null) {
    return malformed('is not strictly encoded JSON in base64url')
  }
  const checked = checkHeader(header)
  if (checked.kind === 'malformed') return checked
  const { algorithm, kid } = checked
  return { kind: 'jws', algorithm, kid, payload, signed: token.slice(0, second), signature }
}

type Header =
  | { readonly kind: 'header'; readonly algorithm: JwtAlgorithm; readonly kid: string | null }
  | Malformed

function checkHeader(header: StrictObject): Header {
  const algorithm = JWT_ALGORITHMS.find((name) => name === header['alg'])
  if (algorithm === undefined) return malformed('is signed with an algorithm that is not allowed')
  // RFC 7515, 4.1.11: what a token says must be understood, and is not, refuses it
  // b64 too (RFC 7797, 6): a reader that knows it would see another payload than was verified here
  if ('crit' in header || 'b64' in header)
    return malformed('asks for extensions that are not supported')
  const kid = header['kid'] ?? null
  if (kid !== null && typeof kid !== 'string') return malformed('has a kid that is not a string')
  if (isWrapper(header)) return malformed('holds another token, or is encrypted')
  if (isOfOtherUse(header['typ'])) return malformed('was issued for another use')
  return { kind: 'header', algorithm, kid }
}

/** A nested or encrypted token: its claims are not the ones that were signed here. */
function isWrapper(header: StrictObject): boolean {
  const content = header['cty'] ?? ''
  return typeof content !== 'string' || /jwt/i.test(content) || 'enc' in header || 'zip' in header
}

/**
 * RFC 8725, 3.11: a type that names a use (`logout+jwt`, `dpop+jwt`) is believed; only `at+jwt` is
 * ours. Other values say nothing of the use.
 */
function isOfOtherUse(type: StrictValue = ''): boolean {
  return typeof type !== 'string' || /(?<!^at|\/at)\+jwt$/i.test(type)
}

/** `noKey`: the set has no key that this token could be signed with. */
export function verifyJws(jws: Jws, keys: readonly VerifyKey[]): 'valid' | 'forged' | 'noKey' {
  let tried = 0
  for (const key of keys) {
    if (!mayHaveSigned(key, jws)) continue
    if (++tried > KEYS_TRIED_MAX) break
    if (isSignedBy(jws, key)) return 'valid'
  }
  return tried === 0 ? 'noKey' : 'forged'
}

/** A kid is only a hint about which key; the key's own type decides what it may verify. */
function mayHaveSigned(key: VerifyKey, jws: Jws): boolean {
  if (!key.algorithms.includes(jws.algorithm)) return false
  return key.kid === null || jws.kid === null || key.kid === jws.kid
}

function isSignedBy(jws: Jws, { key, signatureBytes }: VerifyKey): boolean {
  if (jws.signature.length !== signatureBytes) return false
  const { hash, padding, saltLength } = SCHEMES[jws.algorithm]
  const data = Buffer.from(jws.signed, 'latin1')
  const options = { key, dsaEncoding: 'ieee-p1363' as const }
  return padding === null
    ? verify(hash, data, options, jws.signature)
    : verify(hash, data, { ...options, padding, saltLength }, jws.signature)
}

interface Scheme {
  /** Null: the scheme has its own. */
  readonly hash: string | null
  readonly padding: number | null
  readonly saltLength: number
}
const scheme = (hash: string | null, padding: number | null = null, saltLength = 0): Scheme => ({
  hash,
  padding,
  saltLength,
})
const { RSA_PKCS1_PADDING: PKCS1, RSA_PKCS1_PSS_PADDING: PSS } = constants
/** RFC 7518 section 3; the salt of PS* is as long as the hash. */
const SCHEMES: { readonly [A in JwtAlgorithm]: Scheme } = {
  RS256: scheme('sha256', PKCS1),
  RS384: scheme('sha384', PKCS1),
  RS512: scheme('sha512', PKCS1),
  PS256: scheme('sha256', PSS, 32),
  PS384: scheme('sha384', PSS, 48),
  PS512: scheme('sha512', PSS, 64),
  ES256: scheme('sha256'),
  ES384: scheme('sha384'),
  ES512: scheme('sha512'),
  EdDSA: scheme(null),
}

function part(text: string): StrictObject | null {
  const bytes = decodeBase64Url(text)
  return bytes === null ? null : parseStrictObject(bytes)
}

/** Only the one spelling that an encoder gives: no padding, no other alphabet, no stray bits. */
export function decodeBase64Url(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : null
}

function malformed(because: string): Malformed {
  return { kind: 'malformed', because }
}
