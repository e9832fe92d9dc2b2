/**
 * A rule's authentication made ready when its table arrives: keys imported, expressions bound,
 * secrets read. What cannot be made ready answers 503 in its place; it never opens a door.
 * Pinned by build.test.ts: "a unit that many rules use is made once".
 */
import type { Authenticate, AuthenticateEntry, ApiKeyEntry, JwtEntry, RuleAuth } from '#wire/auth'
import type { SecretValue } from '#wire/table'
import type { Reject } from '#wire/value'
import type { PrepareEnvironment, Refused, TableReader } from '../../runtime/prepare.ts'
import { PolicyAuthenticator } from './authenticator.ts'
import { PolicyAuthorizer } from './authorize.ts'
import { placeJudges, type ReadyEntry, stripOf } from './build-places.ts'
import { anonymousCaller } from './caller.ts'
import { BEARER_CHALLENGE, challengesOf } from './challenge.ts'
import type { JudgeEnvironment } from './environment.ts'
import { publicJwk, type VerifyKey, verifyKey } from './jwk.ts'
import { KeyEntry } from './key-entry.ts'
import { fixedKeys } from './key-sets.ts'
import type { Authenticator, Authorizer, PreparedAuth, PreparedForward } from './prepared.ts'
import { keySourceOf } from '../../sync/keys-message.ts'

/** Null: the rule is open. */
export function buildAuth(
  auth: RuleAuth,
  reader: TableReader,
  env: PrepareEnvironment,
): PreparedAuth | Reject | null {
  switch (auth.kind) {
    case 'open':
      return null
    case 'reject':
      return auth
    case 'policy':
      return buildPolicy(auth, reader, env)
    default:
      return auth satisfies never
  }
}

function buildPolicy(
  auth: Extract<RuleAuth, { kind: 'policy' }>,
  reader: TableReader,
  env: PrepareEnvironment,
): PreparedAuth | Reject {
  const authenticator = authenticatorOf(auth.authenticate, reader, env)
  const forward = forwardOf(auth.forward, reader, env)
  const details = detailsOf(auth.deny, reader)
  const authorizers = authorizersOf(auth.authorize, reader, env)
  if (isRefused(authenticator) || isRefused(forward)) return UNENFORCEABLE
  if (isRefused(details) || isRefused(authorizers)) return UNENFORCEABLE
  return {
    kind: 'policy',
    authenticator,
    challenge: authenticator?.challenge ?? BEARER_CHALLENGE,
    authorizers,
    forward,
    ...details,
  }
}

type Details = Pick<PreparedAuth, 'unauthenticatedDetail' | 'forbiddenDetail'>

function detailsOf(key: string | null, reader: TableReader): Details | Refused {
  if (key === null) return { unauthenticatedDetail: null, forbiddenDetail: null }
  const deny = reader.get('deny', key)
  if (deny === null) return refused('it is not in the table')
  const { unauthenticated, forbidden } = deny
  return {
    unauthenticatedDetail: unauthenticated?.detail ?? null,
    forbiddenDetail: forbidden?.detail ?? null,
  }
}

/** Says nothing of why: the controller is told, the client is not. */
const UNENFORCEABLE: Reject = {
  kind: 'reject',
  status: 503,
  cause: 'policy-invalid',
  because: 'A policy of this API cannot be enforced at the moment.',
}

function authenticatorOf(
  key: string | null,
  reader: TableReader,
  env: PrepareEnvironment,
): Authenticator | Refused | null {
  if (key === null) return null
  const unit = reader.get('authenticate', key)
  if (unit === null) return refused('it is not in the table')
  // read for every rule, so that each is built again when a secret changes
  const secrets = unit.entries.map((entry) => pepperOf(entry, reader))
  const before = env.auth.built.authenticators.get(unit)
  if (before !== undefined && secrets.every((secret, i) => secret === before.secrets[i])) {
    return before.authenticator
  }
  const [namespace = ''] = key.split('/', 1)
  const authenticator = newAuthenticator(unit, secrets, { ...env, namespace })
  if (isRefused(authenticator)) reader.reject('authenticate', key, authenticator.because)
  else env.auth.built.authenticators.set(unit, { secrets, authenticator })
  return authenticator
}

function pepperOf(entry: AuthenticateEntry, reader: TableReader): SecretValue | null {
  if (entry.kind !== 'apiKey' || entry.pepper === null) return null
  return reader.get('secret', entry.pepper)
}

interface UnitEnvironment extends PrepareEnvironment {
  readonly namespace: string
}

function newAuthenticator(
  unit: Authenticate,
  secrets: readonly (SecretValue | null)[],
  env: UnitEnvironment,
): Authenticator | Refused {
  const { directory, namespace } = env
  const environment: JudgeEnvironment = { ...env.auth, directory, namespace }
  const ready: { readonly name: string; readonly entry: ReadyEntry }[] = []
  for (const [i, entry] of unit.entries.entries()) {
    if (entry.kind === 'anonymous') continue
    const made =
      entry.kind === 'jwt' ? tokenEntryOf(entry, env) : keyEntryOf(entry, secrets[i] ?? null)
    if (isRefused(made)) return refused(`entry ${entry.name}: ${made.because}`)
    ready.push({ name: entry.name, entry: made })
  }
  const byName = ready.toSorted((one, other) => (one.name < other.name ? -1 : 1))
  const guest = unit.entries.find((entry) => entry.kind === 'anonymous')
  return new PolicyAuthenticator({
    places: placeJudges(
      byName.map(({ entry }) => entry),
      environment,
    ),
    anonymous: guest === undefined ? null : anonymousCaller(guest.name),
    challenges: challengesOf(unit.entries),
    strip: stripOf(unit.entries),
  })
}

function tokenEntryOf(entry: JwtEntry, env: PrepareEnvironment): ReadyEntry | Refused {
  const source = keySourceOf(entry.issuer, entry.keys)
  if (source !== null) {
    return { kind: 'jwt', from: entry.from, token: { entry, slot: env.auth.keySets.slot(source) } }
  }
  const keys: VerifyKey[] = []
  for (const jwk of entry.keys.kind === 'inline' ? entry.keys.keys : []) {
    const members = publicJwk(jwk)
    const key = 'because' in members ? members : verifyKey(members)
    if ('because' in key) return refused(`one of its keys cannot be used: ${key.because}`)
    keys.push(key)
  }
  return { kind: 'jwt', from: entry.from, token: { entry, slot: fixedKeys(keys) } }
}

function keyEntryOf(entry: ApiKeyEntry, secret: SecretValue | null): ReadyEntry | Refused {
  if (!entry.formats.includes('imported')) {
    return { kind: 'apiKey', from: entry.from, key: new KeyEntry(entry, null) }
  }
  const pepper = Buffer.from(secret?.base64 ?? '', 'base64')
  // an empty pepper would make the stored hashes plain ones, which can be guessed from a list
  if (pepper.length === 0) return refused('the pepper of imported keys is not there')
  return { kind: 'apiKey', from: entry.from, key: new KeyEntry(entry, pepper) }
}

function authorizersOf(
  keys: readonly string[],
  reader: TableReader,
  env: PrepareEnvironment,
): readonly Authorizer[] | Refused | null {
  const authorizers: Authorizer[] = []
  for (const key of keys) {
    const authorizer = authorizerOf(key, reader, env)
    if (isRefused(authorizer)) return authorizer
    authorizers.push(authorizer)
  }
  return authorizers.length === 0 ? null : authorizers
}

function authorizerOf(
  key: string,
  reader: TableReader,
  env: PrepareEnvironment,
): Authorizer | Refused {
  const entry = reader.get('authorize', key)
  if (entry === null) return refused('it is not in the table')
  const before = env.auth.built.authorizers.get(entry)
  if (before !== undefined) return before
  const when = entry.when === null ? null : env.prepare.expression(entry.when)
  const require = entry.require === null ? null : env.prepare.expression(entry.require)
  for (const expression of [when, require]) {
    if (!isRefused(expression)) continue
    reader.reject('authorize', key, expression.because)
    return expression
  }
  if (isRefused(when) || isRefused(require)) return refused('an expression of it is not one')
  const authorizer = new PolicyAuthorizer(entry, { when, require })
  env.auth.built.authorizers.set(entry, authorizer)
  return authorizer
}

function forwardOf(
  key: string | null,
  reader: TableReader,
  env: PrepareEnvironment,
): PreparedForward | Refused | null {
  if (key === null) return null
  const unit = reader.get('forward', key)
  if (unit === null) return refused('it is not in the table')
  const headers = unit.headers.length === 0 ? null : env.prepare.headers(unit.headers)
  if (isRefused(headers)) {
    reader.reject('forward', key, headers.because)
    return headers
  }
  return { headers, credential: unit.credential }
}

function isRefused(part: object | null): part is Refused {
  return part !== null && 'kind' in part && part.kind === 'refused'
}

function refused(because: string): Refused {
  return { kind: 'refused', because }
}
