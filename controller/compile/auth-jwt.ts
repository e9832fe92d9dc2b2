/**
 * One `jwt` entry of `authenticate`: whose tokens, where they are, and the keys that verify them.
 * Pinned by auth-jwt.test.ts: "what an entry does not say has the documented default".
 */
import type { JwtSpec } from '../../crds/authenticate.ts'
import { type Carrier, JWT_ALGORITHMS, type JwtEntry, type JwtKeys } from '#wire/auth'
import { compileCarriers } from './carrier.ts'
import { checkJwk, type PublicKey } from './jwk.ts'
import type { Checked, FieldPath, Problem } from './problem.ts'
import { waitMs } from './quantity.ts'
import type { StepWithin } from './steps.ts'
import { checkOwnService, checkUrl } from './url.ts'

type At = FieldPath<JwtSpec>

/** What clocks of hosts with NTP differ by, and some for those without. */
const CLOCK_SKEW_MS = 10_000
const BEARER: readonly Carrier[] = [{ kind: 'header', name: 'authorization', scheme: 'Bearer' }]

export function compileJwt(
  name: string,
  spec: JwtSpec,
  at: At,
  within: StepWithin,
): Checked<JwtEntry> {
  const from = compileFrom(spec, at)
  const skew =
    spec.clockSkew === undefined ? NONE : waitMs(spec.clockSkew, at.child('clockSkew'), '0s')
  const keys = compileKeys(spec, at, within)
  const value: JwtEntry = {
    kind: 'jwt',
    name,
    from: from.value,
    issuer: spec.issuer,
    audiences: [...new Set(spec.audiences ?? [])],
    algorithms: algorithmsOf(spec),
    clockSkewMs: skew.value ?? CLOCK_SKEW_MS,
    requiredClaims: [...new Set(spec.requiredClaims ?? ['sub'])],
    expiry: spec.expiry ?? 'required',
    keys: keys.value,
  }
  return { value, problems: [...from.problems, ...skew.problems, ...keys.problems] }
}

const NONE: Checked<null> = { value: null, problems: [] }

function algorithmsOf(spec: JwtSpec): JwtEntry['algorithms'] {
  return spec.algorithms === undefined ? JWT_ALGORITHMS : [...new Set(spec.algorithms)]
}

function compileFrom(spec: JwtSpec, at: At): Checked<readonly Carrier[]> {
  if (spec.from === undefined) return { value: BEARER, problems: [] }
  return compileCarriers(spec.from, at.child('from'))
}

// ---- keys -----------------------------------------------------------------------------------

function compileKeys(spec: JwtSpec, at: At, within: StepWithin): Checked<JwtKeys> {
  if (spec.jwksUri !== undefined && spec.keys !== undefined) {
    const problem = at.problem('Invalid', 'Write jwksUri or keys, not both.')
    return { value: { kind: 'discovery' }, problems: [problem] }
  }
  if (spec.keys !== undefined) return compileInline(spec.keys, spec, at)
  if (spec.jwksUri !== undefined) {
    const { jwksUri: uri } = spec
    return fetched(uri, at.child('jwksUri'), within, (addresses) =>
      addresses === null ? { kind: 'jwksUri', uri } : { kind: 'service', uri, addresses },
    )
  }
  const place = at.child('issuer')
  const { value, problems } = fetched(spec.issuer, place, within, (addresses) =>
    addresses === null ? { kind: 'discovery' } : { kind: 'service', uri: null, addresses },
  )
  return { value, problems: [...problems, ...checkIssuer(spec.issuer, place)] }
}

/** `keys`: of the addresses of an own Service, or null. */
function fetched(
  url: string,
  at: FieldPath<string>,
  within: StepWithin,
  keys: (addresses: readonly string[] | null) => JwtKeys,
): Checked<JwtKeys> {
  const problems = checkUrl(url, at, within)
  if (problems.length > 0) return { value: keys(null), problems }
  const own = checkOwnService(url, at, within)
  return { value: keys(own.value), problems: own.problems }
}

/** OpenID Connect Discovery 1.0, section 3: no query and no fragment. */
function checkIssuer(issuer: string, at: FieldPath<string>): readonly Problem[] {
  if (!issuer.includes('?')) return []
  const sentence = 'An issuer whose keys are discovered has no query; correct it, or write jwksUri.'
  return [at.problem('Invalid', sentence)]
}

type Jwks = NonNullable<JwtSpec['keys']>

function compileInline(keys: Jwks, spec: JwtSpec, at: At): Checked<JwtKeys> {
  const problems: Problem[] = []
  const known: PublicKey[] = []
  for (const [i, jwk] of keys.entries()) {
    const place = at.child('keys').index(i)
    const checked = checkJwk(jwk)
    if (checked.kind === 'refused') {
      const where = checked.member === null ? place : place.key(checked.member)
      problems.push(where.problem('Invalid', checked.because))
      continue
    }
    const because = reasonAgainst(checked.key, known, algorithmsOf(spec))
    if (because !== null) problems.push(place.problem('Invalid', because))
    known.push(checked.key)
  }
  return { value: { kind: 'inline', keys }, problems }
}

function reasonAgainst(
  key: PublicKey,
  before: readonly PublicKey[],
  accepted: readonly string[],
): string | null {
  if (!key.algorithms.some((algorithm) => accepted.includes(algorithm))) {
    const can = key.algorithms.join(', ')
    return `The key verifies ${can}, none of which is in algorithms; add one, or remove the key.`
  }
  const same = before.some((other) => other.kid === key.kid && other.kty === key.kty)
  if (!same) return null
  return key.kid === null
    ? 'Two keys of this type have no kid, so no token could say which is meant; name them.'
    : `Two keys of this type have the kid "${key.kid}"; rename or remove one.`
}

// ---- between entries ------------------------------------------------------------------------

/** The name of an earlier entry to which the same token could go. */
export function sameIssuer(entry: JwtEntry, earlier: readonly JwtEntry[]): string | null {
  const other = earlier.find(
    ({ issuer, audiences }) => issuer === entry.issuer && meet(audiences, entry.audiences),
  )
  return other?.name ?? null
}

/** Without audiences every token of the issuer is meant. */
function meet(one: readonly string[], other: readonly string[]): boolean {
  if (one.length === 0 || other.length === 0) return true
  return one.some((audience) => other.includes(audience))
}
