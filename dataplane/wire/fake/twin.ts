/**
 * The plain twin of the decoder: the types of the wire as data, and an interpreter of a few lines
 * that knows structure and no bounds. And mutations of values, for both to disagree about.
 */
import * as fc from 'fast-check'
import { circuit, health, retry } from './twin-delivery.ts'
import { reject, target, traffic } from './twin-traffic.ts'
import { any, fits, is, map, maybe, or, type Test, type Type } from './twin-type.ts'

const source = { kind: 's', name: 's', uid: 's', generation: 'n' } as const
const template = [or('s', { expr: 's' })] as const
const header = { name: 's', value: template, onFailure: is('remove', 'refuse') } as const
const edits = { remove: ['s'], set: [header], add: [header] } as const
const rewrite = [or({ literal: 's' }, { param: 's' }, { rest: is(true) })] as const
const predicate = {
  name: 's',
  test: or(
    { kind: is('exact', 'prefix'), value: 's' },
    { kind: is('regex'), pattern: 's' },
    { kind: is('present') },
  ),
} as const
const path = or(
  { kind: is('any') },
  {
    kind: is('segments'),
    segments: [or({ literal: 's' }, { param: 's' })],
    end: is('exact', 'below'),
  },
  { kind: is('regex'), pattern: 's' },
)
const match = {
  method: maybe('s'),
  path,
  headers: [predicate],
  queryParams: [predicate],
  when: maybe('s'),
} as const
const tree: Test = (value) =>
  fits(
    or(
      { kind: is('value'), value: any },
      { kind: is('template'), template },
      { kind: is('object'), fields: [{ name: 's', tree }] },
      { kind: is('list'), items: [tree] },
    ),
    value,
  )
const forEach = {
  in: 's',
  as: 's',
  key: maybe('s'),
  max: 'n',
  concurrency: 'n',
  overflow: is('fail', 'truncate'),
  onItemError: is('fail', 'fallback', 'omit'),
} as const
const call = {
  name: 's',
  dependsOn: ['s'],
  when: maybe('s'),
  forEach: maybe(forEach),
  backend: target,
  method: 's',
  path: { segments: [template], query: [{ name: template, value: template }] },
  headers: { forward: [is('identity', 'trace')], set: [header] },
  body: maybe(tree),
  timeoutMs: maybe('n'),
  expect: { statuses: [{ from: 'n', to: 'n' }], contentType: maybe('s') },
  fallback: maybe(or({ kind: is('none') }, { kind: is('value'), value: any })),
  'retry?': retry,
} as const
const action = or(
  { kind: is('proxy'), backends: [{ when: maybe('s'), weight: 'n', to: target }] },
  {
    kind: is('aggregate'),
    deadlineMs: 'n',
    callsMax: 'n',
    concurrencyMax: 'n',
    totalBytesMax: 'n',
    errors: { field: 's', detail: is('none', 'summary', 'full') },
    calls: [call],
    response: { status: maybe(template), headers: [header], body: tree },
  },
  { kind: is('respond'), status: 'n', headers: [header], body: maybe(template) },
  {
    kind: is('redirect'),
    status: 'n',
    scheme: maybe(is('http', 'https')),
    host: maybe('s'),
    port: maybe('n'),
    path: maybe(rewrite),
  },
  reject,
)
const carrier = or(
  { kind: is('header'), name: 's', scheme: maybe('s') },
  { kind: is('cookie', 'queryParam'), name: 's' },
)
const keys = or(
  { kind: is('discovery') },
  { kind: is('jwksUri'), uri: 's' },
  { kind: is('service'), uri: maybe('s'), addresses: ['s'] },
  { kind: is('inline'), keys: [map(any)] },
)
const entry = or(
  {
    kind: is('jwt'),
    name: 's',
    from: [carrier],
    issuer: 's',
    audiences: ['s'],
    algorithms: ['s'],
    clockSkewMs: 'n',
    requiredClaims: ['s'],
    expiry: is('required', 'optional'),
    keys,
  },
  {
    kind: is('apiKey'),
    name: 's',
    from: [carrier],
    namespaces: ['s'],
    selector: {
      matchLabels: [{ name: 's', value: 's' }],
      matchExpressions: [{ name: 's', operator: 's', values: ['s'] }],
    },
    formats: ['s'],
    pepper: maybe('s'),
  },
  { kind: is('anonymous'), name: 's' },
)
const rate = { count: 'n', periodMs: 'n', burst: 'n' } as const

const VALUES: Readonly<Record<string, Type>> = {
  gateway: {
    trustedProxies: ['s'],
    egressAllow: ['s'],
    dataPlanes: 'n',
    'listeners?': [{ port: 'n', protocol: is('http', 'https') }],
  },
  host: { namespace: 's', entries: [{ rule: 's', match: 'n' }] },
  rule: {
    route: 's',
    name: 's',
    matches: [match],
    auth: or(
      { kind: is('open') },
      {
        kind: is('policy'),
        authenticate: maybe('s'),
        authorize: ['s'],
        forward: maybe('s'),
        deny: maybe('s'),
      },
      reject,
    ),
    limits: ['s'],
    rewrite: maybe({ path: maybe(rewrite), host: maybe('s') }),
    requestHeaders: maybe(edits),
    responseHeaders: maybe(edits),
    totalTimeoutMs: 'n',
    action,
    ...traffic,
  },
  backend: {
    protocol: is('http', 'h2c'),
    clusterAddress: maybe('s'),
    'circuit?': circuit,
    'health?': health,
  },
  authenticate: { entries: [entry] },
  authorize: {
    scopes: ['s'],
    require: maybe('s'),
    when: maybe('s'),
    deny: { status: 'n', cause: 's', detail: 's' },
  },
  forward: { headers: [header], credential: is('strip', 'keep') },
  deny: { unauthenticated: maybe({ detail: 's' }), forbidden: maybe({ detail: 's' }) },
  limit: {
    policy: 's',
    name: 's',
    per: is('policy', 'route', 'rule'),
    stage: is('beforeAuth', 'afterAuth'),
    mode: is('enforce', 'observe'),
    key: maybe('s'),
    onMissingKey: is('refuse', 'shared'),
    when: maybe('s'),
    measure: or(
      { kind: is('rate'), cost: maybe('s'), rate, rates: [{ when: 's', rate }] },
      { kind: is('concurrency'), max: 'n' },
    ),
  },
  consumer: {
    namespace: 's',
    name: 's',
    displayName: 's',
    labels: map('s'),
    state: is('Active', 'Suspended'),
    groups: ['s'],
    externalIds: map('s'),
    identities: [{ issuer: 's', claim: 's', value: 's' }],
  },
  apiKey: {
    consumer: 's',
    sha256: 's',
    format: is('fairlead', 'imported'),
    expiresAtMs: maybe('n'),
  },
  secret: { base64: 's' },
}

export function objectTwin(value: unknown): boolean {
  return Object.entries(VALUES).some(([kind, type]) =>
    fits({ kind: is(kind), key: 's', sources: [source], value: type, digest: 's' }, value),
  )
}

const basis = map('s')
const set = {
  backend: 's',
  version: 'n',
  endpoints: [{ address: 's', port: 'n', zone: maybe('s') }],
} as const

export function downTwin(value: unknown): boolean {
  return or(
    {
      type: is('hello'),
      version: 'n',
      gateway: 's',
      controller: 's',
      epoch: 's',
      basis,
    },
    { type: is('begin'), from: or({ kind: is('snapshot') }, { kind: is('delta'), hash: 's' }) },
    { type: is('put'), object: objectTwin },
    { type: is('drop'), kind: is(...Object.keys(VALUES)), key: 's' },
    { type: is('endpoints'), set },
    { type: is('commit'), basis, hash: 's', trace: maybe('s') },
    { type: is('ping'), hash: 's', endpointsHash: 's' },
  )(value)
}

export function upTwin(value: unknown): boolean {
  return or(
    {
      type: is('resume'),
      version: 'n',
      dataPlane: 's',
      epoch: 's',
      basis,
      hash: maybe('s'),
    },
    {
      type: is('ack'),
      basis,
      hash: 's',
      rejected: [{ kind: 's', key: 's', sources: [source], reason: 's' }],
    },
    { type: is('refuse'), hash: 's', reason: 's' },
  )(value)
}

// ---- mutations ------------------------------------------------------------------------------

const ODD: readonly unknown[] = [
  null,
  '',
  'x',
  'any',
  'GET',
  0,
  -1,
  1.5,
  2 ** 53,
  Number.POSITIVE_INFINITY,
  true,
  [],
  {},
  ['x'],
  [null],
  { kind: 'any' },
  { kind: 'reject' },
  { expr: 'a' },
  { literal: '' },
  'é'.repeat(3_000),
  'a\r\nb: c',
  'x'.repeat(300),
  '/a/{b}/**',
  '/a//..',
  '${request.path}',
  '${',
  '*',
  '9'.repeat(20),
  '1000000h',
  '1e9/1ms',
  'true',
  '\ud800',
]

/** Values with one or two places changed, dropped, doubled or exchanged. */
export function mutated(values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const step = fc.record({
    place: fc.nat(),
    how: fc.constantFrom('replace', 'drop', 'double', 'exchange', 'rename'),
    odd: fc.constantFrom(...ODD),
    other: fc.nat(),
  })
  return fc
    .tuple(values, fc.array(step, { minLength: 1, maxLength: 2 }))
    .map(([value, steps]) => steps.reduce<unknown>(mutate, structuredClone(value)))
}

interface Step {
  readonly place: number
  readonly how: string
  readonly odd: unknown
  readonly other: number
}

type Holder = Record<string, unknown> | unknown[]

function mutate(value: unknown, { place, how, other, ...step }: Step): unknown {
  const odd = structuredClone(step.odd)
  const places = placesOf(value)
  const found = places[place % places.length]
  if (found === undefined) return odd
  const { holder, name } = found
  const otherPlace = places[other % places.length] ?? found
  if (how === 'replace') write(holder, name, odd)
  if (how === 'exchange')
    write(holder, name, structuredClone(read(otherPlace.holder, otherPlace.name)))
  if (how === 'rename') write(holder, otherPlace.name, read(holder, name))
  if (how === 'double' && Array.isArray(holder)) holder.push(structuredClone(read(holder, name)))
  if (how === 'drop') {
    if (Array.isArray(holder)) holder.splice(Number(name), 1)
    else delete holder[name]
  }
  return value
}

function read(holder: Holder, name: string): unknown {
  return Array.isArray(holder) ? holder[Number(name)] : holder[name]
}

/** Lists get no holes: bytes cannot make any. */
function write(holder: Holder, name: string, value: unknown): void {
  if (!Array.isArray(holder)) holder[name] = value
  else if (Number.isInteger(Number(name))) holder[Math.min(Number(name), holder.length)] = value
}

function placesOf(value: unknown): { readonly holder: Holder; readonly name: string }[] {
  if (!isHolder(value)) return []
  return Object.entries(value).flatMap(([name, member]) => [
    { holder: value, name },
    ...placesOf(member),
  ])
}

function isHolder(value: unknown): value is Holder {
  return typeof value === 'object' && value !== null
}
