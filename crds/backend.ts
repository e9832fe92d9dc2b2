/**
 * Where a request goes and how it is tried: the parts that rules and the calls of an aggregate share.
 * Proved by decode.test.ts.
 */
import { Choice, Fields, Flag, Int, List, type Rule, type Spec } from './schema.ts'
import { ApiBackendRefSchema, ServiceRefSchema } from './reference.ts'
import { exactlyOne } from './rule.ts'
import { Duration, HeaderName, Method, Share, Template } from './text.ts'

/** Members of whatever names a backend, and their rule. */
export const BACKEND = { service: ServiceRefSchema, apiBackend: ApiBackendRefSchema }
export const ONE_BACKEND = exactlyOne(
  ['service', 'apiBackend'],
  'Write exactly one of service, apiBackend.',
)

export const BackendRefSchema = Fields({
  about: 'Who answers.',
  example: '{ service: { name: orders, port: 80 } }',
  optional: BACKEND,
  rules: [ONE_BACKEND],
})
export type BackendRef = Spec<typeof BackendRefSchema>

export const HedgeSchema = Fields({
  about:
    'A second attempt on another endpoint where the first is slow; the first answer wins and the other is given up. Only for GET, HEAD, OPTIONS and TRACE without a body. Counts in the retry budget.',
  example: '{ after: 200ms }',
  required: {
    after: Duration({ about: 'How long the first attempt has alone.', example: '200ms' }),
  },
})

export const RetrySchema = Fields({
  about: 'When a failed attempt is made again, within the timeout of the whole.',
  example: '{ attempts: 2, causes: [connect, reset], statuses: [502, 503, 504], perTry: 800ms }',
  required: {
    attempts: Int({
      about: 'How many attempts in all, the first one included.',
      example: '2',
      min: 1,
      max: 10,
    }),
  },
  optional: {
    causes: List({
      about: 'Failures of the connection after which another attempt is made.',
      example: '[connect, reset]',
      absent: '[connect]',
      item: Choice({ of: ['connect', 'reset', 'timeout'] }),
      max: 3,
    }),
    statuses: List({
      about: 'Statuses of an answer after which another attempt is made.',
      example: '[502, 503, 504]',
      absent: 'none',
      item: Int({ min: 400, max: 599 }),
      max: 16,
    }),
    perTry: Duration({
      about: 'How long one attempt may take.',
      example: '800ms',
      absent: 'what is left of the timeout of the whole',
    }),
    backoff: Fields({
      about:
        'The wait before each retry: drawn between nothing and base, which doubles with each, up to max.',
      example: '{ base: 25ms, max: 250ms }',
      optional: {
        base: Duration({ about: 'Bound before the first retry.', example: '25ms', absent: '25ms' }),
        max: Duration({ about: 'Bound before any.', example: '250ms', absent: '250ms' }),
      },
    }),
    budget: Share({
      about:
        'Extra attempts of a backend that may be under way, as a share of its requests under way. Three may in any case.',
      example: '20%',
      absent: '20%',
    }),
    methods: List({
      about:
        'Methods that may be tried again. Others than safe ones may act twice: name them only where the backend can bear it.',
      example: '[GET, PUT]',
      absent: '[GET, HEAD, OPTIONS]',
      item: Method({}),
      max: 16,
    }),
  },
})

/** Headers that belong to the connection or to the gateway itself. */
const FORBIDDEN = [
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
]

const MAY_BE_SET: Rule<string> = {
  cel: `!(self.lowerAscii() in [${FORBIDDEN.map((name) => `'${name}'`).join(', ')}]) && !self.lowerAscii().startsWith('x-fairlead-')`,
  message:
    'This header cannot be set: Host, Content-Length, Transfer-Encoding, Trailer, TE, Upgrade, Connection and its kind, and x-fairlead-* belong to the gateway (for Host use rewrite.host).',
  check: (value) =>
    !FORBIDDEN.includes(value.toLowerCase()) && !value.toLowerCase().startsWith('x-fairlead-'),
}

const SettableName = HeaderName({
  about: 'Name of the header, in any case.',
  example: 'x-tenant',
  rules: [MAY_BE_SET],
})

export const HeaderValueSchema = Fields({
  about: 'A header and the value it gets.',
  required: {
    name: SettableName,
    value: Template({
      about: 'Its value. It must come out as a string, number or bool of at most 4 KiB.',
      example: '${auth.claims.tenant}',
    }),
  },
  optional: {
    required: Flag({
      about: 'Whether a request whose value cannot be computed is refused with 403.',
      example: 'true',
      absent: 'false: the header is left out, also what the client sent',
    }),
  },
})

export const HeaderEditsSchema = Fields({
  about: 'Changes to headers, made in this order: remove, set, add.',
  example: '{ set: [{ name: x-tenant, value: "${auth.claims.tenant}" }], remove: [cookie] }',
  optional: {
    remove: List({
      about: 'Headers that are removed.',
      example: '[cookie]',
      item: HeaderName({}),
      max: 16,
    }),
    set: List({
      about: 'Headers that get exactly this value, whatever was there.',
      example: '[{ name: x-tenant, value: "${auth.claims.tenant}" }]',
      item: HeaderValueSchema,
      max: 16,
    }),
    add: List({
      about: 'Header lines that are added to those already there.',
      example: '[{ name: cache-control, value: no-transform }]',
      item: HeaderValueSchema,
      max: 16,
    }),
  },
})
