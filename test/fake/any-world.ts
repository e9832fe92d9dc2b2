/**
 * Generates the edits that people make: objects of every kind created, changed, broken and deleted in
 * any order, in a world small enough that they meet. For property tests of compile.
 */
import fc from 'fast-check'
import type { Kind } from '../../controller/compile/snapshot.ts'
import { DEFAULT_GATEWAY, World, type Written } from './world.ts'

export type Edit =
  | { readonly kind: 'apply'; readonly object: Written }
  | {
      readonly kind: 'remove'
      readonly of: Kind
      readonly namespace: string
      readonly name: string
    }

export function edit(world: World, change: Edit): void {
  if (change.kind === 'apply') world.apply(change.object)
  else world.remove(change.of, change.namespace, change.name)
}

const SYSTEM = 'fairlead-system'
const namespace = fc.constantFrom('a', 'b')
const policyNamespace = fc.constantFrom('a', 'b', SYSTEM)
const ruleName = fc.constantFrom('one', 'two')

export function someOf<T>(...items: readonly T[]): fc.Arbitrary<T[]> {
  return fc.uniqueArray(fc.constantFrom(...items), { minLength: 1, maxLength: 2 })
}

function present<T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) {
  return fc.record<T, never>(fields, { requiredKeys: [] })
}

function object(kind: Kind, at: fc.Arbitrary<string>, name: fc.Arbitrary<string>, more: object) {
  const parts = fc.record({ namespace: at, name, ...more })
  return parts.map(({ namespace: inside, name: called, ...rest }): Written => {
    return { kind, metadata: { namespace: inside, name: called }, ...rest }
  })
}

// ---- routes ---------------------------------------------------------------------------------

const action = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ respond: { status: 200 } }) },
  fc.constant({ backends: [{ service: { name: 'web', port: 80 } }] }),
  fc.constant({ backends: [{ service: { name: 'web', port: 80, namespace: 'b' } }] }),
)
/** Invalid in itself, each in another step: decoder, expression, not supported, unknown field. */
export const fault: fc.Arbitrary<object> = fc.constantFrom(
  { respond: { status: 'many' } },
  { match: [{ path: '/x', when: 'nope(' }] },
  { validate: { openapi: 'product' } },
  { matsch: 1 },
)
const sound = fc
  .tuple(action, fc.constantFrom('/x', '/x/**', '/{id}', '/y'), present({ public: fc.boolean() }))
  .map(([does, path, open]) => ({ match: [{ path }], ...does, ...open }))

function rule(broken: boolean) {
  const body = broken
    ? fc.oneof(
        { weight: 5, arbitrary: sound },
        fc.tuple(sound, fault).map(([good, bad]) => ({ ...good, ...bad })),
      )
    : sound
  return fc.tuple(ruleName, body).map(([name, rest]) => ({ name, ...rest }))
}

export function route(broken: boolean): fc.Arbitrary<Written> {
  const top = present({
    public: fc.boolean(),
    hosts: someOf('x.example.com', '*.example.com', 'a.x.example.com'),
    gateways: someOf({ name: 'default', namespace: SYSTEM }, { name: 'open', namespace: SYSTEM }),
  })
  const rules = fc.uniqueArray(rule(broken), {
    minLength: 1,
    maxLength: 2,
    selector: ({ name }) => name,
  })
  const spec = fc.tuple(top, rules).map(([fields, list]) => ({ ...fields, rules: list }))
  return object('ApiRoute', namespace, fc.constantFrom('r', 's'), { spec })
}

// ---- policies -------------------------------------------------------------------------------

/** Mostly what can be targeted from the namespace, sometimes what cannot. */
function targetsFrom(inside: string) {
  const whole = fc.record({ kind: fc.constant('ApiRoute'), name: fc.constantFrom('r', 's') })
  const section = fc.record({
    kind: fc.constant('ApiRoute'),
    name: fc.constantFrom('r', 's'),
    sectionName: fc.constantFrom('one', 'two', 'three'),
  })
  const own = fc.constant({ kind: 'Namespace', name: inside })
  const gate = fc.record({
    kind: fc.constant('ApiGateway'),
    name: fc.constantFrom('default', 'open'),
  })
  const foreign = fc.constant({ kind: 'Namespace', name: 'elsewhere' })
  const usual = inside === SYSTEM ? [gate] : [whole, section, own]
  return fc.uniqueArray(
    fc.oneof(
      ...usual.map((arbitrary) => ({ weight: 5, arbitrary })),
      fc.oneof(foreign, gate, whole),
    ),
    { minLength: 1, maxLength: 2, selector: (target) => JSON.stringify(target) },
  )
}

const jwt = { who: { jwt: { issuer: 'https://id.example.com' } } }
const authenticate = fc.constantFrom<object>(
  jwt,
  { guest: { anonymous: {} } },
  { keys: { apiKey: { consumers: { namespaces: ['b'] } } } },
  { keys: { apiKey: { formats: ['imported'], pepperSecretRef: { name: 'pepper' } } } },
)
const entry = fc.constantFrom<object>({ require: 'true' }, { scopes: ['s'] })

function entries(value: fc.Arbitrary<object>, removed: boolean) {
  const one = removed ? fc.oneof(value, fc.constant({ disabled: true })) : value
  return fc.dictionary(fc.constantFrom('p', 'q'), one, { minKeys: 1, maxKeys: 2 })
}

function authPart(removed: boolean): fc.Arbitrary<object> {
  return present({
    authenticate,
    authorize: entries(entry, removed),
    forward: fc.constant({ credential: 'keep' }),
    deny: fc.constant({ forbidden: { detail: 'No.' } }),
  }).filter((part) => Object.keys(part).length > 0)
}

const limit = fc.constantFrom<object>({ rate: '5/1s' }, { key: 'request.ip', concurrency: 3 })
function limitPart(removed: boolean): fc.Arbitrary<object> {
  return fc.record({ limits: entries(limit, removed) })
}

function policy(kind: Kind, part: (removed: boolean) => fc.Arbitrary<object>, bad: object) {
  return (broken: boolean): fc.Arbitrary<Written> => {
    const parts = fc.oneof(
      { weight: 3, arbitrary: part(true) },
      fc.record({ overrides: part(false) }),
      fc.record({ defaults: part(true), overrides: part(false) }),
    )
    const whole = broken ? fc.oneof({ weight: 4, arbitrary: parts }, fc.constant(bad)) : parts
    return policyNamespace.chain((inside) => {
      const spec = fc
        .tuple(targetsFrom(inside), whole)
        .map(([targetRefs, said]) => ({ targetRefs, ...said }))
      return object(kind, fc.constant(inside), fc.constantFrom('p', 'q'), { spec })
    })
  }
}

export const authPolicy = policy('AuthPolicy', authPart, { authenticate: { x: { basic: {} } } })
export const limitPolicy = policy('RateLimitPolicy', limitPart, {
  limits: { x: { rate: '5/1s', when: 'nope(' } },
})

// ---- everything else ------------------------------------------------------------------------

const gateway = fc
  .tuple(
    fc.constantFrom('default', 'open'),
    present({
      hosts: fc.constantFrom<object>(
        { ungranted: 'refuse', grants: [{ host: '*.example.com', namespaces: ['a'] }] },
        { grants: [{ host: 'x.example.com', namespaces: ['b'] }] },
        { grants: [{ host: '*', namespaces: ['b'] }] },
      ),
      allowedNamespaces: fc.constant({ selector: { matchLabels: { team: 'a' } } }),
      trustedProxies: fc.constant(['10.0.0.0/8']),
    }),
    fc.constantFrom('required', 'optional'),
  )
  .map(([name, more, auth]): Written => {
    const dataPlanes = { serviceAccount: 'fairlead', service: 'fairlead' }
    const defaults = name === 'open' ? { routeDefaults: { auth } } : {}
    const spec = { dataPlanes, ...defaults, ...more }
    return { kind: 'ApiGateway', metadata: { name, namespace: SYSTEM }, spec }
  })

const IDENTITY = { issuer: 'https://id.example.com', claim: 'azp', value: 'app' }

const others: readonly fc.Arbitrary<Written>[] = [
  gateway,
  object('Service', namespace, fc.constant('web'), {
    spec: fc.constantFrom({ ports: [{ port: 80 }] }, { ports: [{ port: 81 }] }),
  }),
  object('Secret', policyNamespace, fc.constant('pepper'), {
    type: fc.constantFrom('fairlead.dev/pepper', 'Opaque'),
    data: fc.constantFrom({ pepper: 'c2VjcmV0' }, { pepper: 'b3RoZXI=' }, {}),
  }),
  object('Consumer', namespace, fc.constantFrom('acme', 'bolt'), {
    spec: fc.constantFrom<object>(
      { groups: ['gold'] },
      { state: 'Suspended' },
      { nope: 1 },
      { identities: [IDENTITY] },
    ),
  }),
  object('ApiBackend', namespace, fc.constant('wrapped'), {
    spec: fc.constantFrom<object>(
      { service: { name: 'web', port: 80 } },
      { service: { name: 'web', port: 80 }, circuit: { requests: 9 } },
      { service: { name: 'web', port: 80, namespace: 'b' } },
      { nope: 1 },
    ),
  }),
  object('ApiKey', namespace, fc.constantFrom('k', 'l'), {
    spec: fc.constantFrom('0', '1').map((digit) => ({
      consumerRef: { name: 'acme' },
      sha256: digit.repeat(64),
    })),
  }),
  object('ReferenceGrant', fc.constant('b'), fc.constant('grant'), {
    spec: fc.constantFrom(
      {
        from: [{ group: 'fairlead.dev', kind: 'ApiRoute', namespace: 'a' }],
        to: [{ group: '', kind: 'Service' }],
      },
      {
        from: [{ group: 'fairlead.dev', kind: 'AuthPolicy', namespace: 'a' }],
        to: [{ group: 'fairlead.dev', kind: 'Consumer' }],
      },
    ),
  }),
  fc.constantFrom('a', 'b').chain((name) =>
    fc.constantFrom({}, { team: 'a' }).map((labels): Written => {
      return { kind: 'Namespace', metadata: { name, labels } }
    }),
  ),
]

const removal: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({
    kind: fc.constant('remove' as const),
    of: fc.constantFrom<Kind>('ApiRoute'),
    namespace,
    name: fc.constantFrom('r', 's'),
  }),
  fc.record({
    kind: fc.constant('remove' as const),
    of: fc.constantFrom<Kind>('AuthPolicy', 'RateLimitPolicy'),
    namespace: policyNamespace,
    name: fc.constantFrom('p', 'q'),
  }),
  fc.record({
    kind: fc.constant('remove' as const),
    of: fc.constantFrom<Kind>(
      'Secret',
      'ReferenceGrant',
      'ApiKey',
      'Consumer',
      'Service',
      'ApiBackend',
    ),
    namespace,
    name: fc.constantFrom('pepper', 'grant', 'k', 'acme', 'bolt', 'web', 'wrapped'),
  }),
  fc.record({
    kind: fc.constant('remove' as const),
    of: fc.constant<Kind>('ApiGateway'),
    namespace: fc.constant(SYSTEM),
    name: fc.constant('open'),
  }),
)

function applying(written: fc.Arbitrary<Written>): fc.Arbitrary<Edit> {
  return written.map((value) => ({ kind: 'apply', object: value }))
}

/** `broken`: some of the objects are invalid in themselves. */
export function edits(broken: boolean, maxLength: number): fc.Arbitrary<Edit[]> {
  const one = fc.oneof(
    { weight: 6, arbitrary: applying(route(broken)) },
    { weight: 6, arbitrary: applying(authPolicy(broken)) },
    { weight: 3, arbitrary: applying(limitPolicy(broken)) },
    ...others.map((arbitrary) => ({ weight: 1, arbitrary: applying(arbitrary) })),
    { weight: 4, arbitrary: removal },
  )
  return fc.array(one, { minLength: 1, maxLength, size: 'max' })
}

export function newWorld(): World {
  const world = new World().apply(DEFAULT_GATEWAY)
  for (const inside of ['a', 'b']) {
    const metadata = { namespace: inside, name: 'web' }
    world.apply({ kind: 'Service', metadata, spec: { ports: [{ port: 80 }] } })
    world.apply({ kind: 'Consumer', metadata: { ...metadata, name: 'acme' }, spec: {} })
  }
  const open = { ...DEFAULT_GATEWAY, metadata: { name: 'open', namespace: SYSTEM } }
  return world.apply(open)
}
