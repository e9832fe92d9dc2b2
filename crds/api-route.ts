/**
 * ApiRoute: hosts, and the rules that take their requests. The resource that developers write.
 * Pinned by emit.test.ts: "the manifests are what the schemas say".
 */
import { AggregateSchema } from './aggregate.ts'
import {
  type BackendRefSchema,
  HeaderEditsSchema,
  HeaderValueSchema,
  HedgeSchema,
  RetrySchema,
  BACKEND,
  ONE_BACKEND,
} from './backend.ts'
import { CacheSchema } from './cache.ts'
import { RouteMatchSchema } from './match.ts'
import { GatewayRefSchema, SecretRef } from './reference.ts'
import { exactlyOne, needs } from './rule.ts'
import { Choice, Fields, Flag, Int, List, type Rule, type Spec } from './schema.ts'
import { Duration, ExactHost, Expression, Host, Label, PathPattern, Template } from './text.ts'
import {
  AddressesSchema,
  AffinitySchema,
  BodySchema,
  CalloutSchema,
  CompressionSchema,
  CorsSchema,
  FaultsSchema,
  LifecycleSchema,
  MirrorSchema,
  ReadBodySchema,
  RedirectSchema,
  ValidateSchema,
} from './traffic.ts'

const RuleBackendSchema = Fields({
  about: 'One backend of the rule.',
  rules: [ONE_BACKEND],
  optional: {
    ...BACKEND,
    weight: Int({
      about: 'Its share among the backends without `when`; 0 gets nothing.',
      example: '9',
      absent: '1',
      min: 0,
      max: 1_000_000,
    }),
    when: Expression({
      about: 'CEL; the first backend whose `when` is true takes the request.',
      example: "'beta' in auth.groups",
      absent: 'it shares by weight with the others that have none',
    }),
  },
})
export type RuleBackend = Spec<typeof RuleBackendSchema>

const RewriteSchema = Fields({
  about: 'Changes what the backend sees.',
  example: '{ path: "/v2/search", host: search.internal }',
  optional: {
    path: PathPattern({
      about: 'Path; ** and {id} stand for what the match captured. The query is kept.',
      example: '/v2/search',
    }),
    host: ExactHost({ about: 'Host.', example: 'search.internal' }),
  },
})

const RespondSchema = Fields({
  about: 'Answers by itself.',
  example: '{ status: 200, body: pong }',
  required: { status: Int({ about: 'Status.', example: '200', min: 200, max: 599 }) },
  optional: {
    headers: List({
      about: 'Headers.',
      example: '[{ name: content-type, value: text/plain }]',
      item: HeaderValueSchema,
      max: 16,
    }),
    body: Template({
      about: 'Body.',
      example: 'pong',
      absent: 'empty',
      max: 65_536,
    }),
  },
})

const BatchSchema = Fields({
  about: 'Takes several requests to this host in one body and answers them together.',
  example: '{ max: 20 }',
  optional: {
    max: Int({ about: 'How many in one.', example: '20', absent: '20', min: 1, max: 100 }),
    concurrency: Int({ about: 'How many at once.', example: '5', absent: '5', min: 1, max: 64 }),
  },
})

const TimeoutsSchema = Fields({
  about: 'How long things may take; 504 beyond.',
  example: '{ total: 2s, firstByte: 1s, connect: 500ms, idle: 30s }',
  optional: {
    total: Duration({
      about: 'From the first byte of the request to the last of the answer’s head.',
      example: '2s',
      absent: '30s',
    }),
    firstByte: Duration({
      about: 'Of an attempt: from a connection that takes it to the head of the answer.',
      example: '1s',
      absent: 'total',
    }),
    connect: Duration({
      about: 'Until a connection has taken an attempt.',
      example: '500ms',
      absent: '2s',
    }),
    idle: Duration({
      about: 'Without a byte of the answer while it streams; the connection then breaks off.',
      example: '30s',
      absent: '5m',
    }),
  },
})

const ACTIONS = ['backends', 'aggregate', 'respond', 'redirect', 'batch'] as const

const SOME_MATCH_ALL: Rule<{ readonly backends?: readonly { readonly weight?: number }[] }> = {
  cel: '!has(self.backends) || self.backends.exists(b, !has(b.weight) || b.weight > 0)',
  message: 'Every backend has weight 0, so nobody would answer; give one a weight.',
  check: ({ backends }) =>
    backends === undefined || backends.some(({ weight }) => weight === undefined || weight > 0),
  at: 'backends',
}

const RouteRuleSchema = Fields({
  about: 'What is done with the requests that match.',
  required: {
    name: Label({
      about: 'Name, unique in the route: policies attach to the rule by it (sectionName).',
      example: 'order-page',
    }),
    match: List({
      about: 'Which requests; one of these must match.',
      example: '[{ method: GET, path: /books/** }]',
      item: RouteMatchSchema,
      min: 1,
      max: 16,
    }),
  },
  optional: {
    public: Flag({
      about: 'Whether it may be served without an AuthPolicy; one that attaches still holds.',
      example: 'true',
      absent: 'the route’s own public',
    }),
    backends: List({
      about: 'Who answers: the first whose `when` is true, else one by weight.',
      example: '[{ service: { name: books, port: 80 }, weight: 9 }]',
      item: RuleBackendSchema,
      min: 1,
      max: 16,
    }),
    aggregate: AggregateSchema,
    respond: RespondSchema,
    redirect: RedirectSchema,
    batch: BatchSchema,
    rewrite: RewriteSchema,
    requestHeaders: HeaderEditsSchema,
    responseHeaders: HeaderEditsSchema,
    timeouts: TimeoutsSchema,
    retry: RetrySchema,
    hedge: HedgeSchema,
    cors: CorsSchema,
    addresses: AddressesSchema,
    body: BodySchema,
    readBody: ReadBodySchema,
    compression: CompressionSchema,
    cache: CacheSchema,
    mirror: MirrorSchema,
    affinity: AffinitySchema,
    faults: FaultsSchema,
    validate: ValidateSchema,
    callout: CalloutSchema,
    lifecycle: LifecycleSchema,
    allowPath: List({
      about: 'Forms of a path that are otherwise refused with 400.',
      example: '[semicolon]',
      item: Choice({ of: ['semicolon', 'encodedSlash'] }),
      max: 2,
    }),
  },
  rules: [
    exactlyOne(
      ACTIONS,
      'A rule does exactly one of backends, aggregate, respond, redirect, batch.',
    ),
    SOME_MATCH_ALL,
    needs('mirror', 'backends', 'mirror copies what goes to backends; it needs them.'),
    needs('affinity', 'backends', 'affinity chooses among endpoints of backends; it needs them.'),
    needs('hedge', 'backends', 'hedge is for backends; remove it.'),
    needs('retry', 'backends', 'retry is for backends; calls of an aggregate have their own.'),
  ],
})
export type RouteRule = Spec<typeof RouteRuleSchema>
export type RouteMatch = Spec<typeof RouteMatchSchema>
export type BackendRef = Spec<typeof BackendRefSchema>
export type HeaderEditsSpec = Spec<typeof HeaderEditsSchema>
export type HeaderValueSpec = Spec<typeof HeaderValueSchema>
export type RetrySpec = Spec<typeof RetrySchema>
export type HedgeSpec = Spec<typeof HedgeSchema>
export type TimeoutsSpec = Spec<typeof TimeoutsSchema>
export type RedirectSpec = Spec<typeof RedirectSchema>
export type RespondSpec = Spec<typeof RespondSchema>
export type RewriteSpec = Spec<typeof RewriteSchema>

const TlsSchema = Fields({
  about: 'Certificates of the hosts, and what plain HTTP gets. A property of the host.',
  example: '{ certificates: [{ secretRef: { name: shop-tls } }], http: redirect }',
  optional: {
    certificates: List({
      about: 'Certificates; the one that fits the host best is shown.',
      example: '[{ secretRef: { name: shop-tls } }]',
      item: Fields({
        about: 'One certificate.',
        required: {
          secretRef: SecretRef({
            about: 'Secret of type kubernetes.io/tls.',
            example: '{ name: shop-tls }',
          }),
        },
      }),
      min: 1,
      max: 16,
    }),
    http: Choice({
      about: 'Requests over plain HTTP are redirected to https, served, or refused with 403.',
      example: 'redirect',
      absent: 'redirect where there are certificates, else serve',
      of: ['redirect', 'serve', 'refuse'],
    }),
  },
})

export const ApiRouteSchema = Fields({
  about: 'What the route serves.',
  example: '{ hosts: [shop.example.com], rules: [{ name: all, match: [{ path: /** }], … }] }',
  required: {
    rules: List({
      about: 'The rules. Their order does not matter: the most specific match wins.',
      example: '[{ name: ping, match: [{ path: /ping }], respond: { status: 200 } }]',
      item: RouteRuleSchema,
      min: 1,
      max: 64,
      keyedBy: 'name',
    }),
  },
  optional: {
    gateways: List({
      about: 'Which gateways serve it.',
      example: '[{ name: public, namespace: fairlead-system }]',
      absent: 'the installation’s default gateway',
      item: GatewayRefSchema,
      min: 1,
      max: 16,
    }),
    hosts: List({
      about: 'Hosts, exact or with one leading wildcard that covers one or more labels.',
      example: '[shop.example.com, "*.shop.example.com"]',
      absent: 'any host that no other namespace owns',
      item: Host({}),
      min: 1,
      max: 16,
    }),
    tls: TlsSchema,
    public: Flag({
      about: 'Whether rules may be served without an AuthPolicy; one that attaches still holds.',
      example: 'true',
      absent: 'false',
    }),
  },
  rules: [needs('tls', 'hosts', 'tls belongs to hosts; name them.')],
})
export type ApiRouteSpec = Spec<typeof ApiRouteSchema>
