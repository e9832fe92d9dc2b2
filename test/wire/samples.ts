/**
 * Objects of every kind of a table, each with all that its kind can have: what tests of the wire put
 * together, take apart and change.
 */
import { hash } from 'node:crypto'
import { digestText } from '#wire/digest'
import type { ObjectKind, TableObject, ValueOf } from '#wire/table'
import type { Source } from '#wire/value'

/** With its digest. */
export function tableObject<K extends ObjectKind>(
  kind: K,
  key: string,
  value: ValueOf[K],
  sources: readonly Source[] = [],
): TableObject {
  // The union over kinds cannot be followed through a generic: the decoder would say otherwise.
  const object = { kind, key, sources, value } as unknown as Omit<TableObject, 'digest'>
  return { ...object, digest: hash('sha256', digestText(object), 'hex') } as TableObject
}

export const SOURCE: Source = { kind: 'ApiRoute', name: 'shop/shop', uid: 'u-1', generation: 3 }
const REJECT = { kind: 'reject', status: 503, cause: 'policy-invalid', because: 'No.' } as const
const HEADER = {
  name: 'x-user',
  value: ['a ', { expr: 'auth.consumer' }],
  onFailure: 'remove',
} as const
const BACKEND = { kind: 'backend', backend: 'shop/books:80' } as const
const RULE_REST = {
  route: 'shop/shop',
  auth: { kind: 'open' },
  limits: [],
  rewrite: null,
  requestHeaders: null,
  responseHeaders: null,
  totalTimeoutMs: 30_000,
} as const
const ANY = {
  method: null,
  path: { kind: 'any' },
  headers: [],
  queryParams: [],
  when: null,
} as const

const FULL_RULE: ValueOf['rule'] = {
  route: 'shop/shop',
  name: 'full',
  matches: [
    {
      method: 'GET',
      path: {
        kind: 'segments',
        segments: [{ literal: 'books' }, { param: 'id' }, { literal: '' }],
        end: 'exact',
      },
      headers: [{ name: 'x-a', test: { kind: 'exact', value: 'b' } }],
      queryParams: [
        { name: 'v', test: { kind: 'prefix', value: '2' } },
        { name: 'W', test: { kind: 'regex', pattern: '^a+$' } },
        { name: '', test: { kind: 'present' } },
      ],
      when: 'inCidr(request.ip, "10.0.0.0/8")',
    },
    { ...ANY, path: { kind: 'regex', pattern: '/v(?P<n>[0-9]+)' } },
    ANY,
  ],
  auth: {
    kind: 'policy',
    authenticate: 'shop/auth/defaults',
    authorize: ['shop/auth/readers'],
    forward: 'shop/auth/defaults',
    deny: 'shop/auth/defaults',
  },
  limits: ['shop/limits/a', 'shop/limits/b'],
  rewrite: {
    path: [{ literal: '/v2/' }, { param: 'id' }, { rest: true }],
    host: 'search.internal',
  },
  requestHeaders: { remove: ['cookie'], set: [HEADER], add: [HEADER] },
  responseHeaders: { remove: ['server'], set: [], add: [] },
  totalTimeoutMs: 2_000,
  delivery: {
    connectMs: 500,
    firstByteMs: 1_000,
    idleMs: 30_000,
    retry: {
      attempts: 3,
      causes: ['connect', 'reset', 'timeout'],
      statuses: [502, 503],
      methods: ['GET', 'PUT'],
      perTryMs: 800,
      backoff: { baseMs: 25, maxMs: 250 },
      budgetPerMille: 200,
    },
    hedge: { afterMs: 200 },
  },
  action: {
    kind: 'proxy',
    backends: [
      { when: "'beta' in auth.groups", weight: 0, to: BACKEND },
      { when: null, weight: 9, to: REJECT },
    ],
  },
  cors: {
    origins: ['https://app.example.com', 'https://*.example.com:8443', 'null'],
    methods: ['GET'],
    headers: ['content-type'],
    expose: ['etag'],
    credentials: 'refused',
    maxAgeS: 600,
  },
  addresses: { allow: ['10.0.0.0/8', '2001:db8::/32'], deny: ['10.6.6.6/32'] },
  body: { bytesMax: 1_048_576 },
  faults: { delay: { share: 1_000, ms: 20 }, abort: { share: 100_000, status: 503 } },
  cache: {
    ttlS: 60,
    audience: 'private',
    by: [{ of: 'header', name: 'accept-language' }],
    staleIfErrorS: 600,
    staleWhileRevalidateS: 30,
  },
  compression: { types: ['text/*', 'application/json'], minBytes: 1024 },
  mirror: { to: BACKEND, share: 5_000 },
}

const AGGREGATE: ValueOf['rule'] = {
  ...RULE_REST,
  name: 'aggregate',
  matches: [ANY],
  action: {
    kind: 'aggregate',
    deadlineMs: 800,
    callsMax: 50,
    concurrencyMax: 12,
    totalBytesMax: 8_388_608,
    errors: { field: '_errors', detail: 'summary' },
    calls: [
      {
        name: 'order',
        dependsOn: [],
        when: 'true',
        forEach: null,
        backend: BACKEND,
        method: 'GET',
        path: {
          segments: [['orders'], [{ expr: 'request.params.id' }]],
          query: [{ name: ['a'], value: ['b', { expr: 'request.query.b' }] }],
        },
        headers: { forward: ['identity', 'trace'], set: [HEADER] },
        body: null,
        timeoutMs: 300,
        expect: { statuses: [{ from: 200, to: 299 }], contentType: 'application/json' },
        fallback: null,
      },
      {
        name: 'stock',
        dependsOn: ['order'],
        when: null,
        forEach: {
          in: 'calls.order.body.lines',
          as: 'line',
          key: 'line.sku',
          max: 50,
          concurrency: 8,
          overflow: 'fail',
          onItemError: 'fallback',
        },
        backend: REJECT,
        method: 'POST',
        path: { segments: [], query: [] },
        headers: { forward: [], set: [] },
        body: {
          kind: 'object',
          fields: [
            { name: 'id', tree: { kind: 'template', template: [{ expr: 'line.sku' }] } },
            {
              name: '',
              tree: { kind: 'list', items: [{ kind: 'value', value: { a: [1, null] } }] },
            },
          ],
        },
        timeoutMs: null,
        expect: { statuses: [], contentType: null },
        fallback: { kind: 'value', value: { left: 0 } },
      },
    ],
    response: {
      status: [{ expr: 'calls.order.status' }],
      headers: [HEADER],
      body: { kind: 'template', template: [{ expr: 'calls.order.body' }] },
    },
  },
}

const OTHER_ACTIONS: readonly ValueOf['rule'][] = [
  {
    ...RULE_REST,
    name: 'respond',
    matches: [ANY],
    action: { kind: 'respond', status: 200, headers: [HEADER], body: ['pong'] },
  },
  {
    ...RULE_REST,
    name: 'redirect',
    matches: [ANY],
    auth: REJECT,
    action: {
      kind: 'redirect',
      status: 308,
      scheme: 'https',
      host: 'shop.example.com',
      port: 8443,
      path: [{ literal: '/v1/' }, { rest: true }],
    },
  },
  { ...RULE_REST, name: 'reject', matches: [], action: { ...REJECT, status: 500 } },
]

function limit(name: string, measure: ValueOf['limit']['measure']): TableObject {
  return tableObject('limit', `shop/limits/${name}`, {
    policy: 'shop/limits',
    name,
    per: 'policy',
    stage: 'afterAuth',
    mode: 'enforce',
    key: 'auth.consumer',
    onMissingKey: 'refuse',
    when: null,
    measure,
  })
}

const AUTHENTICATE: ValueOf['authenticate'] = {
  entries: [
    {
      kind: 'jwt',
      name: 'staff',
      from: [{ kind: 'header', name: 'authorization', scheme: 'Bearer' }],
      issuer: 'https://id.example.com',
      audiences: ['shop'],
      algorithms: ['RS256', 'EdDSA'],
      clockSkewMs: 10_000,
      requiredClaims: ['sub'],
      expiry: 'required',
      keys: { kind: 'discovery' },
    },
    {
      kind: 'jwt',
      name: 'inline',
      from: [{ kind: 'cookie', name: 'session' }],
      issuer: 'https://other.example.com',
      audiences: [],
      algorithms: ['ES256'],
      clockSkewMs: 0,
      requiredClaims: [],
      expiry: 'optional',
      keys: { kind: 'inline', keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'AA' }] },
    },
    {
      kind: 'apiKey',
      name: 'partners',
      from: [{ kind: 'queryParam', name: 'key' }],
      namespaces: ['partners'],
      selector: {
        matchLabels: [{ name: 'partner', value: 'true' }],
        matchExpressions: [{ name: 'tier', operator: 'In', values: ['gold'] }],
      },
      formats: ['fairlead', 'imported'],
      pepper: 'shop/pepper:key',
    },
    { kind: 'anonymous', name: 'guest' },
  ],
}

const AUTH_OBJECTS: readonly TableObject[] = [
  tableObject('authenticate', 'shop/auth/defaults', AUTHENTICATE),
  tableObject('authorize', 'shop/auth/readers', {
    scopes: ['books.read'],
    require: 'consumer.state == "Active"',
    when: 'request.method == "GET"',
    deny: { status: 403, cause: 'not-suspended', detail: 'Read-only.' },
  }),
  tableObject('forward', 'shop/auth/defaults', { headers: [HEADER], credential: 'strip' }),
  tableObject('deny', 'shop/auth/defaults', {
    unauthenticated: { detail: 'Log in.' },
    forbidden: null,
  }),
  tableObject('consumer', 'partners/acme', {
    namespace: 'partners',
    name: 'acme',
    displayName: 'Acme',
    labels: { partner: 'true', '10': 'x' },
    state: 'Active',
    groups: ['gold'],
    externalIds: { stripe: 'cus_N123' },
    identities: [{ issuer: 'https://id.example.com', claim: 'azp', value: 'acme-app' }],
  }),
  tableObject('apiKey', 'partners/acme-1', {
    consumer: 'partners/acme',
    sha256: 'a'.repeat(64),
    format: 'fairlead',
    expiresAtMs: 1_900_000_000_000,
  }),
  tableObject('secret', 'shop/pepper:key', { base64: Buffer.from('pepper').toString('base64') }),
]

const RULES: readonly TableObject[] = [FULL_RULE, AGGREGATE, ...OTHER_ACTIONS].map((value) =>
  tableObject('rule', `shop/shop/${value.name}`, value, [SOURCE]),
)

export const GATEWAY = 'fairlead-system/public'

/** One whole table with every kind and every variant of each. */
export const SAMPLES: readonly TableObject[] = [
  tableObject('gateway', GATEWAY, {
    trustedProxies: ['10.0.0.0/8'],
    egressAllow: ['id.internal.example.com'],
    dataPlanes: 2,
  }),
  tableObject('backend', 'shop/books:80', {
    protocol: 'http',
    clusterAddress: '10.96.0.7:80',
    circuit: { requests: 500 },
    health: {
      outliers: {
        errors: 5,
        gatewayErrors: 3,
        successPerMille: 800,
        ejectionMs: 30_000,
        ejectionMaxMs: 300_000,
        outMaxPerMille: 500,
      },
      panicPerMille: 500,
    },
  }),
  ...AUTH_OBJECTS,
  limit('a', {
    kind: 'rate',
    cost: 'request.path.startsWith("/export") ? 5 : 1',
    rate: { count: 60, periodMs: 60_000, burst: 20 },
    rates: [{ when: '"gold" in auth.groups', rate: { count: 600, periodMs: 60_000, burst: 600 } }],
  }),
  limit('b', { kind: 'concurrency', max: 50 }),
  ...RULES,
  tableObject('host', 'shop.example.com', {
    namespace: 'shop',
    entries: [
      { rule: 'shop/shop/full', match: 2 },
      { rule: 'shop/shop/aggregate', match: 0 },
    ],
  }),
]
