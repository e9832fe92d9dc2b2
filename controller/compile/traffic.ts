/**
 * What a rule asks for besides its answer, one concern per file: here is only which of them it uses.
 * What it does not use is absent from the table.
 * Pinned by traffic.test.ts: "what a rule does not ask for is not in its table".
 */
import type { RouteRule } from '../../crds/api-route.ts'
import type { Traffic } from '#wire/traffic'
import { compileCors } from './cors.ts'
import type { Checked, FieldPath, Problem } from './problem.ts'

export function compileTraffic(rule: RouteRule, at: FieldPath<RouteRule>): Checked<Traffic> {
  const value: Mutable<Traffic> = {}
  const problems: Problem[] = []
  if (rule.cors !== undefined) {
    const cors = compileCors(rule.cors, at.child('cors'), rule.match)
    value.cors = cors.value
    problems.push(...cors.problems)
  }
  return { value, problems }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
