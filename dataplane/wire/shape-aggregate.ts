/**
 * Shapes of an answer made from several calls (aggregate.ts).
 * Pinned by check.test.ts: "a call may depend only on calls that stand before it".
 */
import type { AggregateAction, Call, CallPath, ForEach } from './aggregate.ts'
import { CALLS_PER_AGGREGATE_MAX, KEY_BYTES_MAX, LITERAL_BYTES_MAX } from './limits.ts'
import { retry } from './shape-delivery.ts'
import {
  both,
  fault,
  integer,
  isFields,
  list,
  nullable,
  object,
  oneOf,
  optional,
  pattern,
  text,
  union,
  waitMs,
} from './shape.ts'
import type { Members, Shape } from './shape.ts'
import {
  backendTarget,
  bodyTemplate,
  expression,
  headerTemplate,
  smallJson,
  template,
  templateTree,
} from './shape-value.ts'

const callName = pattern(/^[a-z][A-Za-z0-9]*$/, 'a name such as "customer"', 253)
const pathPart = template(text(LITERAL_BYTES_MAX), LITERAL_BYTES_MAX)
const many = integer(1, 1_000_000)

const path = object<CallPath>({
  segments: list(pathPart),
  query: list(object<CallPath['query'][number]>({ name: pathPart, value: pathPart })),
})

const forEach = object<ForEach>({
  in: expression,
  as: pattern(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of a variable', 253),
  key: nullable(expression),
  max: many,
  concurrency: many,
  overflow: oneOf(['fail', 'truncate']),
  onItemError: oneOf(['fail', 'fallback', 'omit']),
})

const status = integer(100, 599)
const call = object<Call>({
  name: callName,
  dependsOn: list(callName),
  when: nullable(expression),
  forEach: nullable(forEach),
  backend: backendTarget,
  method: pattern(/^[!#$%&'*+.^_`|~0-9A-Z-]+$/, 'a method in upper case', 64),
  path,
  headers: object<Call['headers']>({
    forward: list(oneOf(['identity', 'trace'])),
    set: list(headerTemplate),
  }),
  body: nullable(templateTree),
  timeoutMs: nullable(waitMs),
  expect: object<Call['expect']>({
    statuses: list(object<{ from: number; to: number }>({ from: status, to: status })),
    contentType: nullable(text(KEY_BYTES_MAX)),
  }),
  fallback: nullable(
    union<NonNullable<Call['fallback']>>({ none: {}, value: { value: smallJson } }),
  ),
  retry: optional(retry),
})

/** Runs them in one pass from first to last, which a cycle or a later dependency would not survive. */
const inOrder: Shape = (value) => {
  const calls: readonly unknown[] = Array.isArray(value) ? value : []
  const before = new Set<unknown>()
  for (const one of calls) {
    if (!isFields(one)) continue
    const needs: readonly unknown[] = Array.isArray(one['dependsOn']) ? one['dependsOn'] : []
    if (before.has(one['name'])) return fault(`has two calls "${String(one['name'])}"`)
    if (needs.some((need) => !before.has(need))) {
      return fault(`has "${String(one['name'])}" before a call that it depends on`)
    }
    before.add(one['name'])
  }
  return null
}

export const aggregateMembers: Members<Omit<AggregateAction, 'kind'>> = {
  deadlineMs: waitMs,
  callsMax: many,
  concurrencyMax: many,
  totalBytesMax: integer(1, Number.MAX_SAFE_INTEGER),
  errors: object<AggregateAction['errors']>({
    field: text(KEY_BYTES_MAX),
    detail: oneOf(['none', 'summary', 'full']),
  }),
  calls: both(list(call, 1, CALLS_PER_AGGREGATE_MAX), inOrder),
  response: object<AggregateAction['response']>({
    status: nullable(bodyTemplate),
    headers: list(headerTemplate),
    body: templateTree,
  }),
}
