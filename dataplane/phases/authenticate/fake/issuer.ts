/**
 * An issuer of real tokens, by jose: keys of every kind, and tokens that say what a test wants.
 */
import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose'
import type { JwtAlgorithm, JwtEntry } from '#wire/auth'
import type { PublicJwk } from '../../../sync/keys-message.ts'
import { publicJwk } from '../jwk.ts'

export const ISSUER = 'https://id.example.com'
/** The moment at which tests of tokens play, in seconds. */
export const NOW_S = 1_800_000_000

export interface IssuerKey {
  readonly alg: JwtAlgorithm
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly jwk: PublicJwk
}

export async function newKey(alg: JwtAlgorithm, kid: string): Promise<IssuerKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = publicJwk({ ...(await exportJWK(publicKey)), kid })
  if ('because' in jwk) throw new Error(jwk.because)
  return { alg, kid, privateKey, jwk }
}

export const CLAIMS: JWTPayload = {
  iss: ISSUER,
  aud: 'shop',
  sub: 'u-1',
  iat: NOW_S - 60,
  exp: NOW_S + 600,
}

export function token(
  key: IssuerKey,
  claims: JWTPayload = {},
  header: Partial<JWTHeaderParameters> = {},
): Promise<string> {
  return new SignJWT({ ...CLAIMS, ...claims })
    .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
    .sign(key.privateKey)
}

/** Parts as they are given: for tokens that no library would make. */
export function rawToken(header: string, payload: string, signature: Uint8Array | string): string {
  const parts = [header, payload].map((text) => Buffer.from(text).toString('base64url'))
  return `${parts.join('.')}.${Buffer.from(signature).toString('base64url')}`
}

export function jwtEntry(parts: Partial<JwtEntry> = {}): JwtEntry {
  return {
    kind: 'jwt',
    name: 'staff',
    from: [{ kind: 'header', name: 'authorization', scheme: 'Bearer' }],
    issuer: ISSUER,
    audiences: ['shop'],
    algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'],
    clockSkewMs: 10_000,
    requiredClaims: ['sub'],
    expiry: 'required',
    keys: { kind: 'discovery' },
    ...parts,
  }
}
