/**
 * What users may write is what data planes can take: the schema's caps against the wire's limits.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CrdKind, KINDS } from '../crds/kinds.ts'
import * as limits from '../dataplane/wire/limits.ts'

/** A part of a schema by the names of its fields; `*` is an item or a value. */
function part(kind: CrdKind, path: string): Readonly<Record<string, unknown>> {
  let schema: unknown = KINDS[kind].spec
  for (const name of path.split('.')) {
    const step = schema as Readonly<Record<string, Readonly<Record<string, unknown>>>>
    schema =
      name === '*' ? (step['items'] ?? step['additionalProperties']) : step['properties']?.[name]
    assert.ok(schema !== undefined, `${kind}: no ${path}`)
  }
  return schema as Readonly<Record<string, unknown>>
}

const CAPS: readonly (readonly [CrdKind, string, string, number])[] = [
  ['ApiRoute', 'rules', 'maxItems', limits.RULES_PER_ROUTE_MAX],
  ['ApiRoute', 'hosts', 'maxItems', limits.HOSTS_PER_ROUTE_MAX],
  ['ApiRoute', 'rules.*.match', 'maxItems', limits.MATCHES_PER_RULE_MAX],
  ['ApiRoute', 'rules.*.match.*.headers', 'maxItems', limits.PREDICATES_PER_MATCH_MAX],
  ['ApiRoute', 'rules.*.match.*.queryParams', 'maxItems', limits.PREDICATES_PER_MATCH_MAX],
  ['ApiRoute', 'rules.*.aggregate.calls', 'maxProperties', limits.CALLS_PER_AGGREGATE_MAX],
  ['AuthPolicy', 'authenticate', 'maxProperties', limits.MAP_ENTRIES_MAX],
  ['AuthPolicy', 'authorize', 'maxProperties', limits.MAP_ENTRIES_MAX],
  ['RateLimitPolicy', 'limits', 'maxProperties', limits.MAP_ENTRIES_MAX],
]

test('no schema allows more than the wire takes', () => {
  for (const [kind, path, keyword, most] of CAPS) {
    const cap = part(kind, path)[keyword]
    assert.ok(typeof cap === 'number' && cap <= most, `${kind} ${path}: ${String(cap)} > ${most}`)
  }
})
