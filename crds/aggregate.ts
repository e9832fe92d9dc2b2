/**
 * `aggregate` of a rule: several calls whose answers become one. Their order is inferred from the
 * expressions, by compile.
 * Proved by decode.test.ts.
 */
import { BackendRefSchema, HeaderValueSchema, RetrySchema } from './backend.ts'
import { alone, keysMatching, matching } from './rule.ts'
import {
  Choice,
  Fields,
  FreeForm,
  Int,
  IntOrText,
  List,
  Named,
  OnlyTrue,
  type Rule,
  type Spec,
  Text,
} from './schema.ts'
import { CacheBy, Duration, Expression, Method, Size } from './text.ts'

/** Words that CEL reserves: `calls.in` could never be read. */
const RESERVED = [
  'as',
  'break',
  'const',
  'continue',
  'else',
  'false',
  'for',
  'function',
  'if',
  'import',
  'in',
  'let',
  'loop',
  'namespace',
  'null',
  'package',
  'return',
  'true',
  'var',
  'void',
  'while',
]
const RESERVED_LIST = RESERVED.map((word) => `'${word}'`).join(', ')

const VARIABLES = ['auth', 'calls', 'consumer', 'plan', 'request', 'response']

const FREE_NAME: Rule<string> = {
  cel: `!(self in [${[...RESERVED, ...VARIABLES].map((word) => `'${word}'`).join(', ')}])`,
  message: 'This word is taken in expressions; choose another, such as item or line.',
  check: (value) => !RESERVED.includes(value) && !VARIABLES.includes(value),
}

const ForEachSchema = Fields({
  about: 'Makes the call once for each item of a list.',
  example: '{ in: calls.order.body.lines, as: line, key: line.sku, max: 50 }',
  required: {
    in: Expression({
      about: 'CEL that gives the list.',
      example: 'calls.order.body.lines',
    }),
    as: Text({
      about: 'Name of the variable that holds the item in the expressions of this call.',
      example: 'line',
      min: 1,
      max: 32,
      rules: [
        matching('^[a-z][A-Za-z0-9]*$', 'Write a name such as line or orderLine.'),
        FREE_NAME,
      ],
    }),
    max: Int({
      about: 'How many items at most; see overflow.',
      example: '50',
      min: 1,
      max: 1_000,
    }),
  },
  optional: {
    key: Expression({
      about:
        'CEL that names the item, a text or a whole number: the result is a map by it. An item without a name, or with that of an earlier one, fails.',
      example: 'line.sku',
      absent: 'the result is a list in the order of the items',
    }),
    concurrency: Int({
      about: 'How many of these calls at once.',
      example: '8',
      absent: 'the concurrency of the aggregate',
      min: 1,
      max: 64,
    }),
    overflow: Choice({
      about:
        'What happens when there are more items than max: the call fails, or the rest is left out.',
      example: 'truncate',
      absent: 'fail',
      of: ['fail', 'truncate'],
    }),
    onItemError: Choice({
      about:
        'What happens when one item fails: the whole fails, the item gets the fallback, or it is left out. An item that has no place in the map is left out in either case.',
      example: 'fallback',
      absent: 'fail',
      of: ['fail', 'fallback', 'omit'],
    }),
  },
})

const FallbackSchema = Fields({
  about:
    'What stands in for the answer when the call fails; a call without a fallback is required.',
  example: '{ value: { left: 0 } }',
  optional: {
    value: FreeForm({ about: 'Stands for the body.', example: '{ left: 0 }' }),
    none: OnlyTrue({
      about: 'Nothing stands for it: expressions see an absent body.',
      example: 'true',
      instead: 'Write none: true, or value, or remove the fallback.',
    }),
  },
  exactlyOne: 'Write exactly one of value, none.',
})

const ExpectSchema = Fields({
  about: 'What an answer must be to count as a success.',
  example: '{ status: [2xx], contentType: application/json }',
  optional: {
    status: List({
      about: 'Statuses: numbers, classes or ranges.',
      example: '[2xx, 404]',
      absent: '[2xx]',
      item: IntOrText({
        min: 100,
        max: 599,
        maxLength: 7,
        pattern: '^[1-5]([0-9]{2}(-[1-5][0-9]{2})?|xx)$',
        hint: 'Write a status such as 200, a class such as 2xx, or a range such as 200-204.',
      }),
      max: 16,
    }),
    contentType: Text({
      about: 'Media type, without parameters.',
      example: 'application/json',
      absent: 'any',
      min: 1,
      max: 128,
      rules: [
        matching(
          '^[a-zA-Z0-9.+-]+/[a-zA-Z0-9.+-]+$',
          'Write a media type such as application/json.',
        ),
      ],
    }),
  },
})

const CALL_PATH: Rule<string> = {
  cel: "self.startsWith('/')",
  message: 'The path of a call starts with "/".',
  check: (value) => value.startsWith('/'),
}

export const CallSchema = Fields({
  about: 'One request to a backend. It starts as soon as everything its expressions name is there.',
  required: {
    backend: BackendRefSchema,
    path: Text({
      about:
        'Path and query. A value in the path is one segment, in the query one value, both encoded.',
      example: '/customers/${calls.order.body.customerId}?fields=name',
      min: 1,
      max: 4096,
      form: 'template',
      rules: [CALL_PATH],
    }),
  },
  optional: {
    method: Method({ about: 'HTTP method.', example: 'POST', absent: 'GET' }),
    when: Expression({
      about:
        'CEL; where it is false the call is not made: the value of its fallback stands for the body, without one the body is absent.',
      example: 'calls.order.body.customerId != ""',
      absent: 'true',
    }),
    after: List({
      about: 'Calls that must be settled first although no expression names them.',
      example: '[order]',
      item: Text({ min: 1, max: 63 }),
      max: 32,
    }),
    forEach: ForEachSchema,
    headers: Fields({
      about: 'Headers of the call; no others are sent.',
      example: '{ forward: [identity, trace] }',
      optional: {
        forward: List({
          about: 'Groups of headers that are passed on: who the caller is, the trace context.',
          example: '[identity, trace]',
          absent: '[trace]',
          item: Choice({ of: ['identity', 'trace'] }),
          max: 2,
        }),
        set: List({
          about: 'Headers of the call’s own.',
          example: '[{ name: accept, value: application/json }]',
          item: HeaderValueSchema,
          max: 8,
        }),
      },
    }),
    body: FreeForm({
      about: 'Body: text, or structure that is sent as JSON; every string in it is a template.',
      example: '${calls.order.body}',
      form: 'template',
    }),
    timeout: Duration({
      about: 'How long the call may take, retries included.',
      example: '300ms',
      absent: 'what is left of the deadline',
    }),
    retry: RetrySchema,
    expect: ExpectSchema,
    fallback: FallbackSchema,
    cache: Fields({
      about: 'Keeps answers of the call.',
      example: '{ ttl: 5s, by: [consumer] }',
      required: { ttl: Duration({ about: 'How long.', example: '5s' }) },
      optional: {
        by: List({
          about: 'What answers differ by, besides the request of the call.',
          example: '[consumer]',
          absent: '[]',
          item: CacheBy({}),
          max: 8,
        }),
      },
    }),
    detached: OnlyTrue({
      about: 'The answer does not wait for the call and nothing may refer to it.',
      example: 'true',
      instead: 'Write detached: true, or remove it.',
    }),
  },
  rules: [
    alone(
      'detached',
      ['fallback', 'expect', 'forEach'],
      'Nothing waits for a detached call: remove its fallback, expect and forEach.',
    ),
  ],
})
export type CallSpec = Spec<typeof CallSchema>
export type ForEachSpec = Spec<typeof ForEachSchema>
export type FallbackSpec = Spec<typeof FallbackSchema>
export type ExpectSpec = Spec<typeof ExpectSchema>

const NOT_RESERVED: Rule<{ readonly [name: string]: unknown }> = {
  cel: `self.all(k, !(k in [${RESERVED_LIST}]))`,
  message: 'The name of a call may not be a reserved word of CEL, such as in, as or for.',
  check: (value) => Object.keys(value).every((key) => !RESERVED.includes(key)),
}

export const AggregateSchema = Fields({
  about: 'Answers with one document made from several calls.',
  example: '{ calls: { order: { … } }, response: { body: "${calls.order.body}" } }',
  required: {
    calls: Named({
      about:
        'The calls by name; expressions see them as calls.NAME with body, status, headers, ok.',
      example:
        '{ order: { backend: { service: { name: orders, port: 80 } }, path: "/orders/${request.params.id}" } }',
      value: CallSchema,
      min: 1,
      max: 32,
      rules: [
        keysMatching(
          '^[a-z][A-Za-z0-9]*$',
          63,
          'The name of a call is a word such as order or orderLines; YAML 1.1 reads on, off, yes, no, y, n as true and false.',
        ),
        NOT_RESERVED,
      ],
    }),
    response: Fields({
      about: 'The answer.',
      example: '{ body: { id: "${calls.order.body.id}" } }',
      required: {
        body: FreeForm({
          about:
            'Body: structure that is sent as JSON; every string in it is a template, and one that is exactly one ${…} keeps its value’s type.',
          example: '{ id: "${calls.order.body.id}" }',
          form: 'template',
        }),
      },
      optional: {
        status: IntOrText({
          about: 'Status of the answer.',
          example: '${calls.order.status}',
          absent: '200',
          min: 200,
          max: 599,
          maxLength: 4096,
          pattern: '[$][{]',
          hint: 'Write a status from 200 to 599, or a template such as ${calls.order.status}.',
          form: 'template',
        }),
        headers: List({
          about: 'Headers of the answer.',
          example: '[{ name: etag, value: "${calls.order.headers.etag}" }]',
          item: HeaderValueSchema,
          max: 16,
        }),
      },
    }),
  },
  optional: {
    deadline: Duration({
      about: 'When the answer is due; calls that are not done then have failed.',
      example: '800ms',
      absent: '10s',
    }),
    limits: Fields({
      about: 'What one request may cause.',
      example: '{ calls: 50, concurrency: 12, totalBytes: 8Mi }',
      optional: {
        calls: Int({
          about: 'Calls in all, those of forEach counted one by one.',
          example: '50',
          absent: '50',
          min: 1,
          max: 1_000,
        }),
        concurrency: Int({
          about: 'Calls at once.',
          example: '12',
          absent: '12',
          min: 1,
          max: 64,
        }),
        totalBytes: Size({ about: 'Bytes of all bodies together.', example: '8Mi', absent: '8Mi' }),
      },
    }),
    errors: Fields({
      about: 'How parts that failed are told in the body.',
      example: '{ field: _errors, detail: summary }',
      optional: {
        field: Text({
          about: 'Name of the field of the body that lists them.',
          example: '_errors',
          absent: '_errors',
          min: 1,
          max: 63,
          rules: [matching('^[A-Za-z_][A-Za-z0-9_-]*$', 'Write a field name such as _errors.')],
        }),
        detail: Choice({
          about: 'How much is told: nothing, which part and why, or status and duration too.',
          example: 'full',
          absent: 'summary',
          of: ['none', 'summary', 'full'],
        }),
      },
    }),
    acknowledge: List({
      about:
        'Dangers that are known and accepted. unsafeCalls: more than one call that changes something, of which some may happen and others not.',
      example: '[unsafeCalls]',
      item: Choice({ of: ['unsafeCalls'] }),
      max: 1,
    }),
  },
})
export type AggregateSpec = Spec<typeof AggregateSchema>
