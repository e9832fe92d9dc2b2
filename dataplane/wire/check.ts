/**
 * Looks at the objects of a table before anything is done with them: each by itself (checkObject),
 * and whether they fit together (check). The controller does so before it pushes, the data plane
 * after decoding; what one lets pass the other must not refuse.
 * Pinned by check.test.ts: "nothing is accepted that the plain twin refuses".
 */
import {
  CERTIFICATE_CHAIN_BYTES_MAX,
  CERTIFICATE_NAMES_MAX,
  CERTIFICATES_PER_HOST_MAX,
  TABLE_OBJECTS_MAX,
} from './limits.ts'
import {
  fault,
  integer,
  isFields,
  key,
  list,
  nullable,
  object,
  oneOf,
  optional,
  pattern,
  text,
} from './shape.ts'
import type { Fault, Shape } from './shape.ts'
import { apiKey, authenticate, authorize, consumer, deny, forward } from './shape-auth.ts'
import { circuit, health } from './shape-delivery.ts'
import { host, limit, rule } from './shape-rule.ts'
import { source } from './shape-value.ts'
import { objectId } from './table.ts'
import type {
  Backend,
  Certificate,
  Gateway,
  HostTls,
  Listener,
  ObjectKind,
  SecretValue,
  TableObject,
  ValueOf,
} from './table.ts'
import type { BackendTarget } from './value.ts'

export type Decoded<T> =
  | { readonly kind: 'decoded'; readonly value: T }
  | { readonly kind: 'refused'; readonly fault: Fault }

const address = pattern(/^[^\s/]+:\d{1,5}$/, 'a host and a port')
const secretText: Shape = (value) =>
  typeof value === 'string' && Buffer.from(value, 'base64').toString('base64') === value
    ? null
    : fault('must be base64') // nothing of the value may be in the sentence

const listener = object<Listener>({
  port: integer(1, 65_535),
  protocol: oneOf(['http', 'https']),
})

const VALUES: { readonly [K in ObjectKind]: Shape } = {
  gateway: object<Gateway>({
    trustedProxies: list(key),
    egressAllow: list(key),
    dataPlanes: integer(1, 1_000_000),
    listeners: optional(list(listener, 1)),
  }),
  host,
  rule,
  backend: object<Backend>({
    protocol: pattern(/^(http|h2c)$/, 'http or h2c'),
    clusterAddress: nullable(address),
    circuit: optional(circuit),
    health: optional(health),
  }),
  authenticate,
  authorize,
  forward,
  deny,
  limit,
  consumer,
  apiKey,
  secret: object<SecretValue>({ base64: secretText }),
  certificate: object<Certificate>({
    chain: text(CERTIFICATE_CHAIN_BYTES_MAX, 1),
    privateKey: key,
    names: list(key, 0, CERTIFICATE_NAMES_MAX),
  }),
  tls: object<HostTls>({
    certificates: list(key, 0, CERTIFICATES_PER_HOST_MAX),
    http: oneOf(['redirect', 'serve', 'refuse']),
  }),
}

const hex = pattern(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hex')

const OBJECTS: ReadonlyMap<unknown, Shape> = new Map(
  Object.entries<Shape>(VALUES).map(([kind, value]) => [
    kind,
    object<TableObject>({ kind: text(64), key, sources: list(source), value, digest: hex }),
  ]),
)

/** Null: it has the form that a data plane of this version can execute. */
export function checkObject(value: unknown): Fault | null {
  if (!isFields(value)) return fault('must be an object')
  const shape = OBJECTS.get(value['kind'])
  return shape === undefined ? fault('has a kind that this version lacks') : shape(value)
}

/** The same for a value alone, before it has a digest: what a compile step asks of its result. */
export function checkValue<K extends ObjectKind>(kind: K, value: ValueOf[K]): Fault | null {
  return VALUES[kind](value)
}

/** What references are looked for in: a secret's value is sealed on the controller's side. */
export type Referring =
  | Exclude<TableObject, { readonly kind: 'secret' }>
  | { readonly kind: 'secret'; readonly key: string }

/** How a check finds the objects of a table that may not exist as one yet. */
export type Lookup = (kind: ObjectKind, key: string) => Referring | undefined

/** Null: every reference resolves, and there is exactly one gateway. */
export function check(objects: ReadonlyMap<string, Referring>): Fault | null {
  return checkAll(objects.values(), (kind, name) => objects.get(objectId(kind, name)))
}

/** The same where the table does not exist as one map: its objects, and how to find one of them. */
export function checkAll(objects: Iterable<Referring>, lookup: Lookup): Fault | null {
  let size = 0
  let gateways = 0
  for (const one of objects) {
    size += 1
    if (one.kind === 'gateway') gateways += 1
    const found = checkReferences(one, lookup)
    if (found !== null) return found
  }
  if (size > TABLE_OBJECTS_MAX) return fault(`has more than ${TABLE_OBJECTS_MAX} objects`)
  return gateways === 1 ? null : fault(`has ${gateways} gateways instead of one`)
}

/**
 * Whether a change can have broken references of objects that it does not touch. Where it cannot,
 * looking at what it puts is enough: a table of 10,000 routes need not be walked for one of them.
 */
export function reach(before: Referring | undefined, after: Referring | null): 'self' | 'others' {
  if (after === null) return 'others'
  if (before === undefined) return after.kind === 'gateway' ? 'others' : 'self'
  if (before.kind !== 'rule' || after.kind !== 'rule') return 'self'
  return after.value.matches.length < before.value.matches.length ? 'others' : 'self'
}

/** Null: all that the object refers to is there. */
export function checkReferences(one: Referring, lookup: Lookup): Fault | null {
  const missing = (kind: ObjectKind, name: string): Fault | null =>
    lookup(kind, name) === undefined
      ? fault(`${one.kind} "${one.key}" names ${kind} "${name}", which is not in the table`)
      : null
  switch (one.kind) {
    case 'host':
      return hostReferences(one, lookup)
    case 'rule':
      return ruleReferences(one.value, missing)
    case 'authenticate':
      return first(one.value.entries, (entry) =>
        entry.kind === 'apiKey' && entry.pepper !== null ? missing('secret', entry.pepper) : null,
      )
    case 'apiKey':
      return missing('consumer', one.value.consumer)
    case 'certificate':
      return missing('secret', one.value.privateKey)
    case 'tls':
      return first(one.value.certificates, (name) => missing('certificate', name))
    default:
      return null
  }
}

type Missing = (kind: ObjectKind, name: string) => Fault | null

function hostReferences(one: TableObject & { kind: 'host' }, lookup: Lookup): Fault | null {
  for (const entry of one.value.entries) {
    const target = lookup('rule', entry.rule)
    if (target?.kind !== 'rule' || target.value.matches.length <= entry.match) {
      return fault(`host "${one.key}" names match ${entry.match} of rule "${entry.rule}"`)
    }
  }
  return null
}

function ruleReferences(value: ValueOf['rule'], missing: Missing): Fault | null {
  const found = first(value.limits, (name) => missing('limit', name))
  const mirror = value.mirror?.to
  return (
    found ??
    authReferences(value.auth, missing) ??
    actionReferences(value.action, missing) ??
    (mirror?.kind === 'backend' ? missing('backend', mirror.backend) : null)
  )
}

function authReferences(auth: ValueOf['rule']['auth'], missing: Missing): Fault | null {
  if (auth.kind !== 'policy') return null
  return (
    (auth.authenticate === null ? null : missing('authenticate', auth.authenticate)) ??
    first(auth.authorize, (name) => missing('authorize', name)) ??
    (auth.forward === null ? null : missing('forward', auth.forward)) ??
    (auth.deny === null ? null : missing('deny', auth.deny))
  )
}

function actionReferences(action: ValueOf['rule']['action'], missing: Missing): Fault | null {
  const target = (to: BackendTarget): Fault | null =>
    to.kind === 'backend' ? missing('backend', to.backend) : null
  switch (action.kind) {
    case 'proxy':
      return first(action.backends, (backend) => target(backend.to))
    case 'aggregate':
      return first(action.calls, (call) => target(call.backend))
    default:
      return null
  }
}

function first<T>(items: readonly T[], find: (item: T) => Fault | null): Fault | null {
  for (const item of items) {
    const found = find(item)
    if (found !== null) return found
  }
  return null
}
