/**
 * What a verified token says, held against what its entry asks for: issuer, audience, times, and
 * the claims that must be there. After the signature, before anybody is told who is calling.
 * Pinned by claims.test.ts: "a token counts from nbf to exp, and a skew more on both sides".
 */
import type { JwtEntry } from '#wire/auth'
import type { StrictObject, StrictValue } from './strict-json.ts'

/** When a token counts, skew included: milliseconds since 1970, from ≤ now < until. */
export interface Validity {
  readonly kind: 'validity'
  readonly fromMs: number
  readonly untilMs: number
}

export interface ClaimRefusal {
  readonly kind: 'claimRefusal'
  /** Completes "The token …". */
  readonly because: string
}

/** All but the time, which is looked at again on every use. */
export function checkClaims(claims: StrictObject, entry: JwtEntry): Validity | ClaimRefusal {
  if (claims['iss'] !== entry.issuer) return refusal('is from another issuer')
  const missing = entry.requiredClaims.find((name) => isAbsent(claims[name]))
  if (missing !== undefined) return refusal(`lacks the claim ${missing}`)
  const wrong = wrongType(claims)
  if (wrong !== null) return refusal(wrong)
  if (entry.audiences.length > 0 && audienceOf(claims, entry.audiences) === 'another') {
    return refusal('is meant for another audience')
  }
  return validityOf(claims, entry)
}

/**
 * Of the claims that say who is calling, for whom, and which token this is: whoever reads one of
 * them elsewhere, in an expression, a key of a limit or a backend, may rely on its type. A subject
 * that is a list would be one bucket for all lists, or whatever a backend makes of it.
 */
function wrongType(claims: StrictObject): string | null {
  // RFC 7519, sections 4.1.2, 4.1.3 and 4.1.7. The times follow in validityOf, the issuer is equal
  // to a text.
  const untold = TEXTS.find((name) => isAnother(claims[name], ['string']))
  if (untold !== undefined) return `has a ${untold} that is no text`
  const { aud } = claims
  const lines = isListOf(aud) ? aud : [aud]
  if (lines.some((one) => isAnother(one, ['string']))) return 'has an audience that is no text'
  // OpenID Connect Core 2 and RFC 8693 4.3 want texts too; some issuers number their clients.
  const nameless = NAMES.find((name) => isAnother(claims[name], ['string', 'bigint', 'number']))
  return nameless === undefined ? null : `has a ${nameless} that is no name`
}

const TEXTS = ['sub', 'jti'] as const
const NAMES = ['azp', 'client_id'] as const

/** A number only counts where it is whole. */
function isAnother(value: StrictValue | undefined, types: readonly string[]): boolean {
  if (value === undefined) return false
  return !types.includes(typeof value) || (typeof value === 'number' && !Number.isInteger(value))
}

function validityOf(claims: StrictObject, entry: JwtEntry): Validity | ClaimRefusal {
  const expires = time(claims['exp'], Infinity)
  const notBefore = time(claims['nbf'], -Infinity)
  const issued = time(claims['iat'], -Infinity)
  if (expires === null || notBefore === null || issued === null) {
    return refusal('has a time that is not a number')
  }
  if (expires === Infinity && entry.expiry === 'required') return refusal('never expires')
  return {
    kind: 'validity',
    fromMs: Math.max(notBefore, issued) * 1000 - entry.clockSkewMs,
    untilMs: expires * 1000 + entry.clockSkewMs,
  }
}

/** Also asked of a token that nobody has verified, to find the one entry that has to judge it. */
export function audienceOf(claims: StrictObject, audiences: readonly string[]): 'ours' | 'another' {
  const audience = claims['aud']
  const named = typeof audience === 'string' ? [audience] : stringsOf(audience)
  return named.some((one) => audiences.includes(one)) ? 'ours' : 'another'
}

/** Scopes as issuers write them: `scope` (RFC 8693) or `scp`, words or a list. */
export function scopesOf(claims: StrictObject): readonly string[] {
  const scope = claims['scope'] ?? claims['scp']
  if (typeof scope === 'string') return scope.split(' ').filter((word) => word !== '')
  return stringsOf(scope)
}

export function stringsOf(value: StrictValue | undefined): readonly string[] {
  return isListOf(value) ? value.filter((one) => typeof one === 'string') : []
}

function isListOf(value: StrictValue | undefined): value is readonly StrictValue[] {
  return Array.isArray(value)
}

function isAbsent(value: StrictValue | undefined): boolean {
  return value === undefined || value === null || value === ''
}

/** NumericDate of RFC 7519: seconds, possibly with a fraction. Null: it is something else. */
function time(value: StrictValue | undefined, absent: number): number | null {
  if (value === undefined) return absent
  return typeof value === 'number' ? value : null
}

function refusal(because: string): ClaimRefusal {
  return { kind: 'claimRefusal', because }
}
