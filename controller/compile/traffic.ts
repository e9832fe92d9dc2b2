/**
 * What a rule asks for besides its answer, one concern per file: here is only which of them it uses.
 * What it does not use is absent from the table.
 * Pinned by traffic.test.ts: "what a rule does not ask for is not in its table".
 */
import type { RouteRule } from '../../crds/api-route.ts'
import type { Backend } from '#wire/table'
import type { Traffic } from '#wire/traffic'
import { compileAddresses } from './addresses.ts'
import { compileBody } from './body.ts'
import { compileCache } from './cache.ts'
import { compileCompression } from './compression.ts'
import { compileCors } from './cors.ts'
import { compileFaults } from './faults.ts'
import { compileMirror } from './mirror.ts'
import { compileDelivery } from './delivery.ts'
import type { Checked, FieldPath, Problem } from './problem.ts'
import type { StepWithin } from './steps.ts'

export interface CompiledTraffic {
  readonly traffic: Traffic
  /** Those that it names beside the ones of the rule's action. */
  readonly backends: ReadonlyMap<string, Backend>
}

export function compileTraffic(
  rule: RouteRule,
  at: FieldPath<RouteRule>,
  within: StepWithin,
): Checked<CompiledTraffic> {
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
  if (rule.compression !== undefined) value.compression = compileCompression(rule.compression)
  if (rule.cache !== undefined) {
    const cache = compileCache(rule.cache, at.child('cache'))
    value.cache = cache.value
    problems.push(...cache.problems)
  }
  if (rule.backends !== undefined) {
    const delivery = compileDelivery(rule, at)
    if (delivery.value !== null) value.delivery = delivery.value
    problems.push(...delivery.problems)
  }
  let backends = NO_BACKENDS
  if (rule.mirror !== undefined) {
    const mirror = compileMirror(rule.mirror, at.child('mirror'), within)
    value.mirror = mirror.value.mirror
    backends = mirror.value.backends
    problems.push(...mirror.problems)
  }
  return { value: { traffic: value, backends }, problems }
}

const NO_BACKENDS: ReadonlyMap<string, Backend> = new Map()

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
