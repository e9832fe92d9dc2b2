/**
 * What a rule may ask for besides its answer: bodies, faults, checks and the like.
 * Proved by decode.test.ts.
 */
import { BackendRefSchema } from './backend.ts'
import { atLeastOne, exactlyOne, matching, needs } from './rule.ts'
import { Choice, Fields, Flag, Int, List, OnlyTrue, type Rule, type Spec, Text } from './schema.ts'
import {
  Cidr,
  Duration,
  ExactHost,
  Expression,
  HeaderName,
  Method,
  PathPattern,
  Share,
  Size,
  Timestamp,
  Token,
  Url,
} from './text.ts'

export const RedirectSchema = Fields({
  about: 'Answers with a redirect; what is not given stays as it was requested, the query always.',
  example: '{ status: 308, path: /v1/** }',
  optional: {
    status: Choice301({
      about: 'Status of the answer: 301, 302, 303, 307 or 308.',
      example: '308',
      absent: '302',
    }),
    scheme: Choice({ about: 'Scheme.', example: 'https', of: ['http', 'https'] }),
    host: ExactHost({ about: 'Host.', example: 'shop.example.com' }),
    port: Int({ about: 'Port.', example: '8443', min: 1, max: 65_535 }),
    path: PathPattern({
      about: 'Path; ** and {id} stand for what the match captured.',
      example: '/v1/**',
    }),
  },
  rules: [
    atLeastOne(
      ['scheme', 'host', 'port', 'path'],
      'A redirect must change something: write scheme, host, port or path.',
    ),
  ],
})

function Choice301(doc: { about: string; example: string; absent: string }) {
  const rule: Rule<number> = {
    cel: 'self in [301, 302, 303, 307, 308]',
    message: 'Write 301, 302, 303, 307 or 308.',
    check: (value) => [301, 302, 303, 307, 308].includes(value),
  }
  return Int({ ...doc, min: 301, max: 308, rules: [rule] })
}

const NAMED_ORIGINS: Rule<{ readonly origins: readonly string[]; readonly credentials?: boolean }> =
  {
    cel: "!has(self.credentials) || !self.credentials || !('*' in self.origins)",
    message: 'Browsers refuse credentials for "*": name the origins, or remove credentials.',
    check: ({ origins, credentials }) => credentials !== true || !origins.includes('*'),
    at: 'origins',
  }

export const CorsSchema = Fields({
  about: 'Which pages of other origins may call; preflights are answered before authentication.',
  example: '{ origins: ["https://app.example.com"], methods: [GET], maxAge: 10m }',
  required: {
    origins: List({
      about: 'Origins, or "*" for all.',
      example: '["https://app.example.com"]',
      item: Text({
        min: 1,
        max: 253,
        rules: [
          matching(
            '^([*]|null|[a-z][a-z0-9+.-]*://([*][.])?[A-Za-z0-9.-]+(:[0-9]{1,5})?)$',
            'Write an origin such as https://app.example.com, without a path, or "*".',
          ),
        ],
      }),
      min: 1,
      max: 16,
    }),
  },
  optional: {
    methods: List({
      about: 'Methods that such pages may use.',
      example: '[GET, POST]',
      absent: 'the methods of the rule’s matches',
      item: Method({}),
      max: 16,
    }),
    headers: List({
      about: 'Request headers that such pages may send.',
      example: '[content-type, authorization]',
      absent: 'none but the safelisted ones',
      item: HeaderName({}),
      max: 16,
    }),
    expose: List({
      about: 'Response headers that such pages may read.',
      example: '[etag]',
      absent: 'none but the safelisted ones',
      item: HeaderName({}),
      max: 16,
    }),
    credentials: Flag({
      about: 'Whether cookies and Authorization may be sent along.',
      example: 'true',
      absent: 'false',
    }),
    maxAge: Duration({
      about: 'How long browsers keep the answer to a preflight.',
      example: '10m',
      absent: '5s',
    }),
  },
  rules: [NAMED_ORIGINS],
})
export type CorsSpec = Spec<typeof CorsSchema>

export const AddressesSchema = Fields({
  about: 'Which client addresses are served; deny wins over allow.',
  example: '{ allow: [10.0.0.0/8], deny: [10.6.6.6/32] }',
  optional: {
    allow: List({
      about: 'Ranges that are served; others get 403.',
      example: '[10.0.0.0/8]',
      absent: 'all',
      item: Cidr({}),
      max: 64,
    }),
    deny: List({
      about: 'Ranges that get 403.',
      example: '[10.6.6.6/32]',
      absent: 'none',
      item: Cidr({}),
      max: 64,
    }),
  },
  rules: [atLeastOne(['allow', 'deny'], 'Write allow, deny or both.')],
})

export type AddressesSpec = Spec<typeof AddressesSchema>

export const BodySchema = Fields({
  about: 'Bounds on the request’s body.',
  example: '{ max: 10Mi }',
  required: { max: Size({ about: 'Largest body; above it: 413.', example: '10Mi' }) },
})

export type BodySpec = Spec<typeof BodySchema>

export const ReadBodySchema = Fields({
  about: 'Reads the body before the rule is judged, so that expressions may use request.body.',
  example: '{ max: 1Mi }',
  required: { max: Size({ about: 'Largest body that is read; above it: 413.', example: '1Mi' }) },
})

export const CompressionSchema = Fields({
  about: 'Compresses answers for clients that accept it.',
  example: '{ types: [application/json], minBytes: 1024 }',
  optional: {
    types: List({
      about: 'Media types.',
      example: '[application/json]',
      absent: 'text/*, application/json, application/javascript, application/xml, image/svg+xml',
      item: Text({
        min: 1,
        max: 128,
        rules: [
          matching(
            '^[a-zA-Z0-9.+-]+/([a-zA-Z0-9.+-]+|[*])$',
            'Write a media type such as text/* or application/json.',
          ),
        ],
      }),
      max: 16,
    }),
    minBytes: Int({
      about: 'Smaller bodies are not worth it.',
      example: '1024',
      absent: '1024',
      min: 0,
      max: 1_048_576,
    }),
  },
})

export type CompressionSpec = Spec<typeof CompressionSchema>

export const MirrorSchema = Fields({
  about: 'Sends copies of requests to another backend and drops its answers.',
  example: '{ backend: { service: { name: shadow, port: 80 } }, share: 5% }',
  required: { backend: BackendRefSchema },
  optional: {
    share: Share({ about: 'Which part of the requests.', example: '5%', absent: '100%' }),
  },
})

export type MirrorSpec = Spec<typeof MirrorSchema>

export const AffinitySchema = Fields({
  about: 'Keeps a client on one endpoint while it is healthy.',
  example: '{ cookie: fl_sticky, lifetime: 1h }',
  optional: {
    cookie: Token({ about: 'A cookie that the gateway sets.', example: 'fl_sticky' }),
    lifetime: Duration({
      about: 'How long the cookie lives.',
      example: '1h',
      absent: 'until the browser closes',
    }),
    by: Expression({
      about: 'CEL; equal values go to one endpoint.',
      example: 'request.headers["x-session"]',
    }),
  },
  rules: [
    exactlyOne(['cookie', 'by'], 'Write exactly one of cookie, by.'),
    needs('lifetime', 'cookie', 'lifetime belongs to a cookie; remove it.'),
  ],
})

export const FaultsSchema = Fields({
  about: 'Makes a part of the requests slow or fail, to try how clients bear it.',
  example: '{ delay: { share: 1%, for: 2s }, abort: { share: 1%, status: 503 } }',
  optional: {
    delay: Fields({
      about: 'Requests that are held.',
      example: '{ share: 1%, for: 2s }',
      required: {
        share: Share({ about: 'Which part of the requests.', example: '1%' }),
        for: Duration({ about: 'How long.', example: '2s' }),
      },
    }),
    abort: Fields({
      about: 'Requests that are answered with an error.',
      example: '{ share: 1%, status: 503 }',
      required: {
        share: Share({ about: 'Which part of the requests.', example: '1%' }),
        status: Int({ about: 'Status of the answer.', example: '503', min: 400, max: 599 }),
      },
    }),
  },
  rules: [atLeastOne(['delay', 'abort'], 'Write delay, abort or both.')],
})

export type FaultsSpec = Spec<typeof FaultsSchema>

export const ValidateSchema = Fields({
  about: 'Checks requests against the OpenAPI document of the route’s product.',
  example: '{ openapi: product, mode: enforce, parts: [path, query, headers, body] }',
  required: {
    openapi: Choice({ about: 'Which document.', example: 'product', of: ['product'] }),
  },
  optional: {
    mode: Choice({
      about: 'enforce: 400. observe: only count and log.',
      example: 'observe',
      absent: 'enforce',
      of: ['enforce', 'observe'],
    }),
    parts: List({
      about: 'What is checked.',
      example: '[path, query]',
      absent: '[path, query, headers, body]',
      item: Choice({ of: ['path', 'query', 'headers', 'body'] }),
      max: 4,
    }),
  },
})

export const CalloutSchema = Fields({
  about: 'Asks a service of yours to judge or change requests and answers.',
  example: '{ url: "http://checks.shop:8080", at: [request], timeout: 100ms, onFailure: deny }',
  required: {
    url: Url({ about: 'Where it listens.', example: 'http://checks.shop:8080' }),
    at: List({
      about: 'When it is asked.',
      example: '[request, response]',
      item: Choice({ of: ['request', 'response'] }),
      min: 1,
      max: 2,
    }),
  },
  optional: {
    body: Fields({
      about: 'Sends the body along.',
      example: '{ max: 64Ki }',
      required: { max: Size({ about: 'Largest body that is sent.', example: '64Ki' }) },
    }),
    timeout: Duration({ about: 'How long it may take.', example: '100ms', absent: '200ms' }),
    onFailure: Choice({
      about: 'What happens where it does not answer.',
      example: 'allow',
      absent: 'deny',
      of: ['deny', 'allow'],
    }),
  },
})

const SUNSET_AFTER: Rule<{ readonly deprecated?: string; readonly sunset?: string }> = {
  cel: '!has(self.deprecated) || !has(self.sunset) || timestamp(self.sunset) >= timestamp(self.deprecated)',
  message: 'The sunset is not before the deprecation.',
  check: ({ deprecated, sunset }) =>
    deprecated === undefined ||
    sunset === undefined ||
    Date.parse(sunset) >= Date.parse(deprecated),
  at: 'sunset',
}

export const LifecycleSchema = Fields({
  about: 'Announces the end of the rule (RFC 9745, RFC 8594) and carries it out.',
  example: '{ deprecated: "2026-01-01T00:00:00Z", sunset: "2026-07-01T00:00:00Z" }',
  optional: {
    deprecated: Timestamp({
      about: 'Since when, or from when on, it should not be used any more.',
      example: '"2026-01-01T00:00:00Z"',
    }),
    sunset: Timestamp({ about: 'When it ends.', example: '"2026-07-01T00:00:00Z"' }),
    successor: Url({ about: 'What to use instead.', example: 'https://shop.example.com/v2' }),
    afterSunset: Fields({
      about: 'What is answered after the sunset.',
      example: '{ redirect: { status: 308, path: /v2/** } }',
      absent: '410',
      optional: {
        redirect: RedirectSchema,
        serve: OnlyTrue({
          about: 'Goes on as before, with the headers.',
          example: 'true',
          instead: 'Write serve: true, or redirect.',
        }),
      },
      rules: [exactlyOne(['redirect', 'serve'], 'Write exactly one of redirect, serve.')],
    }),
    brownouts: List({
      about: 'Times before the sunset in which it fails, so that users notice.',
      example: '[{ from: "2026-06-01T10:00:00Z", for: 1h }]',
      item: Fields({
        about: 'One such time.',
        required: {
          from: Timestamp({ about: 'Its start.', example: '"2026-06-01T10:00:00Z"' }),
          for: Duration({ about: 'How long.', example: '1h' }),
        },
      }),
      max: 16,
    }),
  },
  rules: [
    needs('afterSunset', 'sunset', 'afterSunset needs a sunset.'),
    needs('brownouts', 'sunset', 'brownouts need a sunset.'),
    SUNSET_AFTER,
  ],
})
