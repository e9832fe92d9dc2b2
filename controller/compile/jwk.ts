/**
 * Public keys written into a policy (RFC 7517), checked as far as their structure shows: the data
 * plane imports them, so what it would refuse is refused here, with the reason. A private part is
 * never accepted: it would be in Git, in etcd and in every table.
 * Pinned by jwk.test.ts: "a key with a private part is refused by the member to remove".
 */
import { JWT_ALGORITHMS } from '#wire/auth'

/** RFC 7518 section 3.3: a key of 2048 bits or larger. */
const RSA_BITS_MIN = 2048
/** Larger ones make one verification cost milliseconds. */
const RSA_BITS_MAX = 8192

/** Bytes of a coordinate; by it the algorithm of an EC key is decided (RFC 7518 section 3.4). */
const CURVES = new Map([
  ['P-256', { bytes: 32, algorithm: 'ES256' }],
  ['P-384', { bytes: 48, algorithm: 'ES384' }],
  ['P-521', { bytes: 66, algorithm: 'ES512' }],
])
const ED25519_BYTES = 32

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

export interface PublicKey {
  readonly kid: string | null
  readonly kty: string
  /** Algorithms that this key may verify. */
  readonly algorithms: readonly string[]
}

export type CheckedKey =
  | { readonly kind: 'key'; readonly key: PublicKey }
  /** `member`: the one to change, or null for the key as a whole. */
  | { readonly kind: 'refused'; readonly member: string | null; readonly because: string }

type Jwk = { readonly [member: string]: unknown }

export function checkJwk(jwk: Jwk): CheckedKey {
  if (jwk['kty'] === 'oct') {
    return refused(
      'kty',
      'A symmetric key ("oct") cannot verify here: anybody who can verify with \
it could also sign. Use the public key of an asymmetric pair.',
    )
  }
  const secret = PRIVATE_MEMBERS.find((member) => member in jwk)
  if (secret !== undefined) {
    return refused(
      secret,
      `This is a private key: remove "${secret}" and all other private \
members, and replace the pair, because its private part has been written down.`,
    )
  }
  const shape = shapeOf(jwk)
  if (shape.kind === 'refused') return shape
  return usable(jwk, shape.algorithms)
}

type Shape =
  | { readonly kind: 'shape'; readonly algorithms: readonly string[] }
  | Extract<CheckedKey, { kind: 'refused' }>

function shapeOf(jwk: Jwk): Shape {
  switch (jwk['kty']) {
    case 'RSA':
      return rsaShape(jwk)
    case 'EC':
      return ecShape(jwk)
    case 'OKP':
      return okpShape(jwk)
    default:
      return refused('kty', 'A key has "kty": RSA, EC or OKP (with crv Ed25519).')
  }
}

function rsaShape(jwk: Jwk): Shape {
  const bits = bitsOf(jwk['n'])
  if (bits === null) return refused('n', 'An RSA key has its modulus "n" in base64url.')
  if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX) {
    const range = `between ${RSA_BITS_MIN} and ${RSA_BITS_MAX}`
    return refused('n', `This RSA key has ${bits} bits; use one ${range}.`)
  }
  if (bitsOf(jwk['e']) === null) return refused('e', 'An RSA key has its exponent "e", as in AQAB.')
  const algorithms = JWT_ALGORITHMS.flatMap((name) => (/^[RP]S/.test(name) ? [name] : []))
  return { kind: 'shape', algorithms }
}

function ecShape(jwk: Jwk): Shape {
  const curve = typeof jwk['crv'] === 'string' ? CURVES.get(jwk['crv']) : undefined
  if (curve === undefined) return refused('crv', 'An EC key has "crv": P-256, P-384 or P-521.')
  for (const member of ['x', 'y']) {
    if (bytesOf(jwk[member]) !== curve.bytes) {
      const because = `On this curve "${member}" is base64url of ${curve.bytes} bytes.`
      return refused(member, because)
    }
  }
  return { kind: 'shape', algorithms: [curve.algorithm] }
}

function okpShape(jwk: Jwk): Shape {
  if (jwk['crv'] !== 'Ed25519') return refused('crv', 'An OKP key has "crv": Ed25519.')
  if (bytesOf(jwk['x']) !== ED25519_BYTES) {
    return refused('x', `On this curve "x" is base64url of ${ED25519_BYTES} bytes.`)
  }
  return { kind: 'shape', algorithms: ['EdDSA'] }
}

function usable(jwk: Jwk, algorithms: readonly string[]): CheckedKey {
  const wrong = misuse(jwk)
  if (wrong !== null) return wrong
  const { kid, kty, alg } = jwk
  const key = { kid: typeof kid === 'string' ? kid : null, kty: String(kty), algorithms }
  if (alg === undefined) return { kind: 'key', key }
  if (typeof alg !== 'string' || !algorithms.includes(alg)) {
    const because = `A key of this type verifies ${algorithms.join(', ')}; correct or remove "alg".`
    return refused('alg', because)
  }
  return { kind: 'key', key: { ...key, algorithms: [alg] } }
}

function misuse(jwk: Jwk): Extract<CheckedKey, { kind: 'refused' }> | null {
  const { kid, use, key_ops: operations } = jwk
  if (kid !== undefined && typeof kid !== 'string') return refused('kid', 'A "kid" is a text.')
  if (use !== undefined && use !== 'sig') {
    return refused('use', 'This key is not for signatures; use one with "use": sig.')
  }
  if (operations === undefined) return null
  if (Array.isArray(operations) && operations.includes('verify')) return null
  return refused('key_ops', 'This key is not for verifying; its "key_ops" must hold verify.')
}

function refused(member: string | null, because: string): Extract<CheckedKey, { kind: 'refused' }> {
  return { kind: 'refused', member, because }
}

const BASE64URL = /^[A-Za-z0-9_-]+$/

/** Null where it is no base64url without padding (RFC 7515 section 2). */
function bytesOf(value: unknown): number | null {
  if (typeof value !== 'string' || !BASE64URL.test(value) || value.length % 4 === 1) return null
  return Math.floor((value.length * 3) / 4)
}

/** Of an integer in big-endian bytes without leading zero bytes. */
function bitsOf(value: unknown): number | null {
  const bytes = bytesOf(value)
  if (typeof value !== 'string' || bytes === null || bytes === 0) return null
  const first = DIGITS.indexOf(value.charAt(0)) * 4 + (DIGITS.indexOf(value.charAt(1)) >> 4)
  return first === 0 ? null : (bytes - 1) * 8 + (32 - Math.clz32(first))
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
