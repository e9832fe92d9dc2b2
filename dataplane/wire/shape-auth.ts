/**
 * Shapes of how rules authenticate and authorise (auth.ts).
 * Pinned by check.test.ts: "nothing is accepted that the plain twin refuses".
 */
import { JWT_ALGORITHMS } from './auth.ts'
import type {
  ApiKey,
  Authenticate,
  AuthenticateEntry,
  Authorize,
  Carrier,
  Consumer,
  Deny,
  DenyAnswer,
  Forward,
  JwtKeys,
  LabelSelector,
  RuleAuth,
} from './auth.ts'
import { KEY_BYTES_MAX } from './limits.ts'
import {
  both,
  fault,
  integer,
  isFields,
  json,
  key,
  keys,
  list,
  map,
  nullable,
  object,
  oneOf,
  optional,
  pattern,
  sentence,
  text,
  union,
  waitMs,
} from './shape.ts'
import { expression, headerName, headerTemplate, rejectMembers } from './shape-value.ts'

export const ruleAuth = union<RuleAuth>({
  open: {},
  policy: {
    authenticate: nullable(key),
    authorize: keys,
    forward: nullable(key),
    deny: nullable(key),
  },
  reject: rejectMembers,
})

const carrier = union<Carrier>({
  header: { name: headerName, scheme: nullable(key) },
  cookie: { name: key },
  queryParam: { name: key },
})
const carriers = list(carrier, 1)

const jwk = both(json, (value) => (isFields(value) ? null : fault('must be an object')))
const url = text(KEY_BYTES_MAX, 1)
const jwtKeys = union<JwtKeys>({
  discovery: {},
  jwksUri: { uri: url },
  service: { uri: nullable(url), addresses: list(key, 1) },
  inline: { keys: list(jwk, 1) },
})

const label = text(KEY_BYTES_MAX)
const selector = object<LabelSelector>({
  matchLabels: list(object<LabelSelector['matchLabels'][number]>({ name: key, value: label })),
  matchExpressions: list(
    object<LabelSelector['matchExpressions'][number]>({
      name: key,
      operator: oneOf(['In', 'NotIn', 'Exists', 'DoesNotExist']),
      values: list(label),
    }),
  ),
})

const entry = union<AuthenticateEntry>({
  jwt: {
    name: key,
    from: carriers,
    issuer: url,
    audiences: keys,
    algorithms: list(oneOf(JWT_ALGORITHMS), 1),
    clockSkewMs: waitMs,
    requiredClaims: keys,
    expiry: oneOf(['required', 'optional']),
    keys: jwtKeys,
  },
  apiKey: {
    name: key,
    from: carriers,
    namespaces: keys,
    selector,
    formats: list(oneOf(['fairlead', 'imported']), 1),
    pepper: nullable(key),
  },
  anonymous: { name: key },
})

/** Without an entry it would say of nobody how they come in: a mistake that must not open a door. */
export const authenticate = object<Authenticate>({ entries: list(entry, 1) })

const denyAnswer = object<DenyAnswer>({
  status: integer(400, 599),
  cause: pattern(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'a word such as "not-suspended"', 253),
  detail: sentence,
})

export const authorize = object<Authorize>({
  scopes: keys,
  require: nullable(expression),
  when: nullable(expression),
  deny: denyAnswer,
})

export const forward = object<Forward>({
  headers: list(headerTemplate),
  credential: oneOf(['strip', 'keep']),
})

const wording = nullable(object<{ detail: string }>({ detail: sentence }))
export const deny = object<Deny>({ unauthenticated: wording, forbidden: wording })

const texts = map(text(KEY_BYTES_MAX))
export const consumer = object<Consumer>({
  namespace: key,
  name: key,
  displayName: label,
  labels: texts,
  state: oneOf(['Active', 'Suspended']),
  groups: keys,
  externalIds: texts,
  identities: list(object<Consumer['identities'][number]>({ issuer: url, claim: key, value: key })),
})

export const apiKey = object<ApiKey>({
  consumer: key,
  sha256: pattern(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hex'),
  format: oneOf(['fairlead', 'imported']),
  expiresAtMs: nullable(integer(0, Number.MAX_SAFE_INTEGER)),
  yieldsTo: optional(keys),
})
