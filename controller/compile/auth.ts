/**
 * One part of an AuthPolicy (bare fields, `defaults` or `overrides`): the units and entries that it
 * states. Anything in it that cannot be enforced makes the part unusable as a whole, since enforcing
 * the rest alone would open what was meant to be closed.
 * Pinned by auth.test.ts: "one broken entry makes the part unusable".
 */
import type { AuthPolicyPart, DenySpec, ForwardSpec } from '../../crds/auth-policy.ts'
import type { Authenticate, AuthenticateEntry, Authorize, Deny, Forward } from '#wire/auth'
import { compileApiKeyEntry } from './auth-api-key.ts'
import { compileJwt, sameIssuer } from './auth-jwt.ts'
import { compileAuthorize } from './authorize.ts'
import { claimant } from './carrier.ts'
import { compileHeaders } from './header.ts'
import type { Checked, FieldPath, Problem } from './problem.ts'
import type { SecretBytes } from './snapshot.ts'
import type { CompileAuthPart, StepWithin } from './steps.ts'
import { notSupportedYet } from './supported.ts'

export const compileAuthPart: CompileAuthPart = (part, at, within) => {
  const authenticate = compileAuthenticate(part, at, within)
  const authorize = compileAuthorizers(part, at)
  const forward = compileForward(part.forward, at.child('forward'))
  const problems = [
    ...notSupportedYet('authPart', part, at),
    ...authenticate.problems,
    ...authorize.problems,
    ...forward.problems,
  ]
  const value = {
    authenticate: authenticate.value.unit,
    authorize: authorize.value.entries,
    disabled: authorize.value.disabled,
    forward: forward.value,
    deny: part.deny === undefined ? null : denyOf(part.deny),
    secrets: authenticate.value.secrets,
    usable: problems.some(({ severity }) => severity === 'failure') ? 'no' : 'yes',
  } as const
  return { value, problems }
}

// ---- authenticate ---------------------------------------------------------------------------

type EntriesSpec = NonNullable<AuthPolicyPart['authenticate']>
type EntrySpec = EntriesSpec[string]

interface CompiledAuthenticate {
  readonly unit: Authenticate | null
  readonly secrets: ReadonlyMap<string, SecretBytes>
}

function compileAuthenticate(
  part: AuthPolicyPart,
  at: FieldPath<AuthPolicyPart>,
  within: StepWithin,
): Checked<CompiledAuthenticate> {
  const problems: Problem[] = []
  const secrets = new Map<string, SecretBytes>()
  const specs = part.authenticate
  if (specs === undefined) return { value: { unit: null, secrets }, problems }
  const entries: AuthenticateEntry[] = []
  for (const name of Object.keys(specs).toSorted()) {
    const spec = specs[name]
    if (spec === undefined) continue
    const place = at.child('authenticate').key(name)
    const compiled = compileEntry(name, spec, place, within)
    problems.push(...compiled.problems)
    const { entry, secret } = compiled.value
    if (secret !== null) secrets.set(secret.key, secret.bytes)
    if (entry === null) continue
    problems.push(...conflicts(entry, entries, place))
    entries.push(entry)
  }
  return { value: { unit: { entries }, secrets }, problems }
}

interface CompiledEntry {
  readonly entry: AuthenticateEntry | null
  readonly secret: { readonly key: string; readonly bytes: SecretBytes } | null
}

function compileEntry(
  name: string,
  spec: EntrySpec,
  at: FieldPath<EntrySpec>,
  within: StepWithin,
): Checked<CompiledEntry> {
  if (spec.jwt !== undefined) {
    const { value, problems } = compileJwt(name, spec.jwt, at.child('jwt'), within)
    return { value: { entry: value, secret: null }, problems }
  }
  if (spec.apiKey !== undefined) {
    return compileApiKeyEntry(name, spec.apiKey, at.child('apiKey'), within)
  }
  if (spec.anonymous !== undefined) {
    return { value: { entry: { kind: 'anonymous', name }, secret: null }, problems: [] }
  }
  // The methods that are not built yet are told by notSupportedYet.
  const empty = Object.keys(spec).length === 0
  const problems = empty ? [at.problem('Invalid', 'Write one method, such as jwt or apiKey.')] : []
  return { value: { entry: null, secret: null }, problems }
}

function conflicts(
  entry: AuthenticateEntry,
  earlier: readonly AuthenticateEntry[],
  at: FieldPath<EntrySpec>,
): readonly Problem[] {
  if (entry.kind === 'anonymous') {
    const other = earlier.find(({ kind }) => kind === 'anonymous')
    if (other === undefined) return []
    const sentence = `"${other.name}" is anonymous already; one is enough, remove the other.`
    return [at.child('anonymous').problem('Invalid', sentence)]
  }
  const claimed = claimant(entry, earlier)
  if (claimed !== null) {
    const sentence =
      `"${claimed}" reads the same place, and a credential there does not tell which entry is meant; ` +
      'give one of them another place, or make them one entry.'
    return [at.child(entry.kind).key('from').problem('Invalid', sentence)]
  }
  if (entry.kind !== 'jwt') return []
  const others = earlier.flatMap((other) => (other.kind === 'jwt' ? [other] : []))
  const same = sameIssuer(entry, others)
  if (same === null) return []
  const sentence =
    `"${same}" has the same issuer and an audience in common, so a token could go to either; ` +
    'give them different audiences, or make them one entry.'
  return [at.child('jwt').child('audiences').problem('Invalid', sentence)]
}

// ---- authorize, forward, deny ---------------------------------------------------------------

interface CompiledAuthorizers {
  readonly entries: ReadonlyMap<string, Authorize>
  readonly disabled: readonly string[]
}

function compileAuthorizers(
  part: AuthPolicyPart,
  at: FieldPath<AuthPolicyPart>,
): Checked<CompiledAuthorizers> {
  const entries = new Map<string, Authorize>()
  const disabled: string[] = []
  const problems: Problem[] = []
  const specs = part.authorize ?? {}
  for (const name of Object.keys(specs).toSorted()) {
    const spec = specs[name]
    if (spec === undefined) continue
    if (spec.disabled === true) {
      disabled.push(name)
      continue
    }
    const compiled = compileAuthorize(spec, at.child('authorize').key(name))
    problems.push(...compiled.problems)
    if (compiled.value !== null) entries.set(name, compiled.value)
  }
  return { value: { entries, disabled }, problems }
}

function compileForward(
  spec: ForwardSpec | undefined,
  at: FieldPath<ForwardSpec>,
): Checked<Forward | null> {
  if (spec === undefined) return { value: null, problems: [] }
  const { value: headers, problems } = compileHeaders(
    spec.headers ?? [],
    at.child('headers'),
    { place: 'policy' },
    'refused',
  )
  return { value: { headers, credential: spec.credential ?? 'strip' }, problems }
}

function denyOf({ unauthenticated, forbidden }: DenySpec): Deny {
  return { unauthenticated: detailOf(unauthenticated), forbidden: detailOf(forbidden) }
}

function detailOf(spec: DenySpec['forbidden']): Deny['forbidden'] {
  return spec?.detail === undefined ? null : { detail: spec.detail }
}
