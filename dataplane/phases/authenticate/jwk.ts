/**
 * From a JSON Web Key to a key that can verify: only public RSA, EC and Ed25519 keys meant for
 * signatures, each bound to the algorithms that its type and size allow. Used when a table or a
 * key set arrives; main checks with it what it has fetched before it hands it on.
 * Pinned by jwk.test.ts: "a key verifies only with the algorithms of its own type and size".
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import type { JwtAlgorithm } from '#wire/auth'
import type { PublicJwk } from '../../sync/keys-message.ts'

export interface VerifyKey {
  readonly kid: string | null
  readonly algorithms: readonly JwtAlgorithm[]
  readonly key: KeyObject
  /** Of every signature made with it: RSA's modulus, twice a curve's coordinate. */
  readonly signatureBytes: number
}

export interface Unusable {
  readonly kind: 'unusable'
  /** Names no value of the key. */
  readonly because: string
}

/** NIST SP 800-131A: shorter ones are disallowed. */
const RSA_BITS_MIN = 2048
/** Verifying grows with the square: 8192 bits take some 400 µs, and nobody signs tokens beyond. */
const RSA_BITS_MAX = 8192
/** Larger exponents only slow a verifier down; 65537 is what everyone uses. */
const RSA_EXPONENT_MAX = 2n ** 32n
/** n of 8192 bits has 1366. */
const MEMBER_CHARS_MAX = 2048

const KEY_TYPES: readonly PublicJwk['kty'][] = ['RSA', 'EC', 'OKP']
const MEMBERS: { readonly [T in PublicJwk['kty']]: readonly string[] } = {
  RSA: ['kid', 'alg', 'n', 'e'],
  EC: ['kid', 'alg', 'crv', 'x', 'y'],
  OKP: ['kid', 'alg', 'crv', 'x'],
}

const RSA_ALGORITHMS: readonly JwtAlgorithm[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
]
interface Curve {
  readonly kty: 'EC' | 'OKP'
  readonly algorithms: readonly JwtAlgorithm[]
  readonly signatureBytes: number
}
const CURVES: ReadonlyMap<string, Curve> = new Map<string, Curve>([
  ['P-256', { kty: 'EC', algorithms: ['ES256'], signatureBytes: 64 }],
  ['P-384', { kty: 'EC', algorithms: ['ES384'], signatureBytes: 96 }],
  ['P-521', { kty: 'EC', algorithms: ['ES512'], signatureBytes: 132 }],
  ['Ed25519', { kty: 'OKP', algorithms: ['EdDSA'], signatureBytes: 64 }],
])

/** The public members alone: whatever else a set holds, private parts too, goes no further. */
export function publicJwk(value: unknown): PublicJwk | Unusable {
  if (typeof value !== 'object' || value === null) return unusable('it is not an object')
  const jwk = new Map<string, unknown>(Object.entries(value))
  const kty = KEY_TYPES.find((name) => name === jwk.get('kty'))
  if (kty === undefined) return unusable('kty is not RSA, EC or OKP')
  if (!isForSignatures(jwk)) return unusable('it is not meant for verifying signatures')
  const members: Record<string, string> = {}
  for (const name of MEMBERS[kty]) {
    const member = jwk.get(name)
    if (member === undefined) continue
    if (typeof member !== 'string' || member.length > MEMBER_CHARS_MAX) {
      return unusable(`${name} is not a short string`)
    }
    members[name] = member
  }
  return { kty, ...members }
}

function isForSignatures(jwk: ReadonlyMap<string, unknown>): boolean {
  const use = jwk.get('use') ?? 'sig'
  const operations = jwk.get('key_ops') ?? ['verify']
  return use === 'sig' && Array.isArray(operations) && operations.includes('verify')
}

export function verifyKey(jwk: PublicJwk): VerifyKey | Unusable {
  const key = imported(jwk)
  if (key === null) return unusable('its members do not make a key')
  const able = jwk.kty === 'RSA' ? rsa(key) : curve(jwk)
  if ('kind' in able) return able
  const { alg } = jwk
  const algorithms =
    alg === undefined ? able.algorithms : able.algorithms.filter((name) => name === alg)
  if (algorithms.length === 0) return unusable('its alg does not fit its type and size')
  return { kid: jwk.kid ?? null, algorithms, key, signatureBytes: able.signatureBytes }
}

type Able = Pick<VerifyKey, 'algorithms' | 'signatureBytes'>

function rsa(key: KeyObject): Able | Unusable {
  const { modulusLength: bits = 0, publicExponent: exponent = 0n } = key.asymmetricKeyDetails ?? {}
  if (bits < RSA_BITS_MIN) return unusable(`an RSA key must have at least ${RSA_BITS_MIN} bits`)
  if (bits > RSA_BITS_MAX) return unusable(`an RSA key may have at most ${RSA_BITS_MAX} bits`)
  if (exponent < 3n || exponent % 2n === 0n || exponent > RSA_EXPONENT_MAX) {
    return unusable('its RSA exponent is not one that issuers use')
  }
  return { algorithms: RSA_ALGORITHMS, signatureBytes: Math.ceil(bits / 8) }
}

function curve(jwk: PublicJwk): Able | Unusable {
  const found = CURVES.get(jwk.crv ?? '')
  if (found === undefined || found.kty !== jwk.kty) {
    return unusable('its curve is not P-256, P-384, P-521 or Ed25519')
  }
  return found
}

/** Node checks that a point lies on its curve; it says so by throwing. */
function imported(jwk: PublicJwk): KeyObject | null {
  const { kty, n, e, crv, x, y } = jwk
  const members = { n, e, crv, x, y }
  const present = Object.entries(members).filter(([, value]) => value !== undefined)
  try {
    return createPublicKey({ key: { kty, ...Object.fromEntries(present) }, format: 'jwk' })
  } catch {
    return null
  }
}

function unusable(because: string): Unusable {
  return { kind: 'unusable', because }
}
