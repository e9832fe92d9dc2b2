/**
 * What a rule asks for besides its answer, one concern per file: here is only which of them it uses.
 * What it does not use is absent from the table.
 * Pinned by traffic.test.ts: "what a rule does not ask for is not in its table".
 */
import type { RouteRule } from '../../crds/api-route.ts'
import type { Traffic } from '#wire/traffic'
import { compileAddresses } from './addresses.ts'
import { compileBody } from './body.ts'
import { compileCors } from './cors.ts'
import { compileFaults } from './faults.ts'
import type { Checked, FieldPath, Problem } from './problem.ts'

export function compileTraffic(rule: RouteRule, at: FieldPath<RouteRule>): Checked<Traffic> {
  const value: Mutable<Traffic> = {}
  const problems: Problem[] = []
  if (rule.cors !== undefined) {
    const cors = compileCors(rule.cors, at.child('cors'), rule.match)
    value.cors = cors.value
    problems.push(...cors.problems)
  }
  if (rule.addresses !== undefined) {
    const addresses = compileAddresses(rule.addresses, at.child('addresses'))
    value.addresses = addresses.value
    problems.push(...addresses.problems)
  }
  if (rule.body !== undefined) {
    const body = compileBody(rule.body, at.child('body'))
    value.body = body.value
    problems.push(...body.problems)
  }
  if (rule.faults !== undefined) {
    const faults = compileFaults(rule.faults, at.child('faults'))
    value.faults = faults.value
    problems.push(...faults.problems)
  }
  return { value, problems }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
