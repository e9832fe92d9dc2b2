/**
 * Shapes of hosts, rules and limits (table.ts, rate-limit.ts).
 * Pinned by check.test.ts: "nothing is accepted that the plain twin refuses".
 */
import {
  CONCURRENCY_MAX,
  KEY_BYTES_MAX,
  LITERAL_BYTES_MAX,
  MATCHES_PER_RULE_MAX,
  PATTERN_BYTES_MAX,
  PREDICATES_PER_MATCH_MAX,
  RATE_COUNT_MAX,
  RATE_PERIOD_MS_MAX,
} from './limits.ts'
import type { Limit, Rate } from './rate-limit.ts'
import { aggregateMembers } from './shape-aggregate.ts'
import { ruleAuth } from './shape-auth.ts'
import {
  both,
  fault,
  integer,
  isFields,
  key,
  keys,
  list,
  literal,
  nullable,
  object,
  oneOf,
  pattern,
  single,
  text,
  union,
  waitMs,
} from './shape.ts'
import type { Shape } from './shape.ts'
import {
  backendTarget,
  bodyTemplate,
  expression,
  headerEdits,
  headerName,
  headerTemplate,
  rejectMembers,
} from './shape-value.ts'
import { traffic } from './shape-traffic.ts'
import type {
  Action,
  Host,
  HostEntry,
  Match,
  PathPattern,
  Rewrite,
  Rule,
  ValuePredicate,
  WeightedBackend,
} from './table.ts'

export const host = object<Host>({
  namespace: key,
  entries: list(object<HostEntry>({ rule: key, match: integer(0, MATCHES_PER_RULE_MAX - 1) })),
})

const regex = text(PATTERN_BYTES_MAX, 1)

const pathSegment = single({
  literal: pattern(/^[^/]*$/, 'one segment, without a slash', LITERAL_BYTES_MAX),
  param: key,
})

/** Only the last segment may be empty: it stands for the trailing slash. */
const segments = both(list(pathSegment), (value) => {
  const items: readonly unknown[] = Array.isArray(value) ? value : []
  const empty = items.findIndex((item) => isFields(item) && item['literal'] === '')
  return empty < 0 || empty === items.length - 1 ? null : fault('has an empty segment in it')
})

const path = union<PathPattern>({
  any: {},
  segments: { segments, end: oneOf(['exact', 'below']) },
  regex: { pattern: regex },
})

const compared = text(LITERAL_BYTES_MAX)
const test = union<ValuePredicate['test']>({
  exact: { value: compared },
  prefix: { value: compared },
  regex: { pattern: regex },
  present: {},
})

function predicates(name: Shape): Shape {
  return list(object<ValuePredicate>({ name, test }), 0, PREDICATES_PER_MATCH_MAX)
}

const match = object<Match>({
  method: nullable(pattern(/^[!#$%&'*+.^_`|~0-9A-Z-]+$/, 'a method in upper case', 64)),
  path,
  headers: predicates(headerName),
  queryParams: predicates(text(KEY_BYTES_MAX)),
  when: nullable(expression),
})

const pathRewrite = list(
  single({ literal: text(LITERAL_BYTES_MAX), param: key, rest: literal(true) }),
)
const hostname = nullable(pattern(/^[^\s/\\@]+$/, 'a host'))

const weightedBackend = object<WeightedBackend>({
  when: nullable(expression),
  weight: integer(0, 1_000_000),
  to: backendTarget,
})

const action = union<Action>({
  proxy: { backends: list(weightedBackend, 1) },
  aggregate: aggregateMembers,
  respond: {
    status: integer(200, 599),
    headers: list(headerTemplate),
    body: nullable(bodyTemplate),
  },
  redirect: {
    status: oneOf([301, 302, 303, 307, 308]),
    scheme: nullable(oneOf(['http', 'https'])),
    host: hostname,
    port: nullable(integer(1, 65_535)),
    path: nullable(pathRewrite),
  },
  reject: rejectMembers,
})

export const rule = object<Rule>({
  route: key,
  name: key,
  matches: list(match, 0, MATCHES_PER_RULE_MAX),
  auth: ruleAuth,
  limits: keys,
  rewrite: nullable(object<Rewrite>({ path: nullable(pathRewrite), host: hostname })),
  requestHeaders: nullable(headerEdits),
  responseHeaders: nullable(headerEdits),
  totalTimeoutMs: waitMs,
  action,
  ...traffic,
})

const rate = object<Rate>({
  count: integer(1, RATE_COUNT_MAX),
  periodMs: integer(1, RATE_PERIOD_MS_MAX),
  burst: integer(1, RATE_COUNT_MAX),
})

export const limit = object<Limit>({
  policy: key,
  name: key,
  per: oneOf(['policy', 'route', 'rule']),
  stage: oneOf(['beforeAuth', 'afterAuth']),
  mode: oneOf(['enforce', 'observe']),
  key: nullable(expression),
  onMissingKey: oneOf(['refuse', 'shared']),
  when: nullable(expression),
  measure: union<Limit['measure']>({
    rate: {
      cost: nullable(expression),
      rate,
      rates: list(object<{ when: string; rate: Rate }>({ when: expression, rate })),
    },
    concurrency: { max: integer(1, CONCURRENCY_MAX) },
  }),
})
