/**
 * How the requests of a rule are brought to its backends: times, tries and hedges. What the rule does
 * not state is left out, so that the data plane's default holds.
 * Pinned by delivery.test.ts: "what a rule does not state is left to the defaults".
 */
import type { RetrySpec, RouteRule, TimeoutsSpec } from '../../crds/api-route.ts'
import type { Delivery, Retry } from '#wire/delivery'
import { BACKOFF_BASE_MS, BACKOFF_MAX_MS, RETRY_BUDGET_PER_MILLE } from '#wire/limits'
import type { Checked, FieldPath, Problem } from './problem.ts'
import { perMille, waitMs } from './quantity.ts'

/** Null: nothing differs from the defaults. */
export function compileDelivery(
  rule: RouteRule,
  at: FieldPath<RouteRule>,
): Checked<Delivery | null> {
  const parts = [compileTimes(rule, at), compileRetryOf(rule, at), compileHedge(rule, at)]
  const value: Delivery = Object.assign({}, ...parts.map((part) => part.value))
  const problems = parts.flatMap((part) => part.problems)
  return { value: Object.keys(value).length === 0 ? null : value, problems }
}

type Part = Checked<Partial<Delivery>>

const TIMES = [
  ['connect', 'connectMs'],
  ['firstByte', 'firstByteMs'],
  ['idle', 'idleMs'],
] as const satisfies readonly (readonly [keyof TimeoutsSpec, keyof Delivery])[]

function compileTimes(rule: RouteRule, at: FieldPath<RouteRule>): Part {
  const { timeouts } = rule
  if (timeouts === undefined) return NOTHING
  const value: { -readonly [K in 'connectMs' | 'firstByteMs' | 'idleMs']?: number } = {}
  const problems: Problem[] = []
  for (const [field, member] of TIMES) {
    const text = timeouts[field]
    if (text === undefined) continue
    const time = waitMs(text, at.child('timeouts').child(field), '1ms')
    problems.push(...time.problems)
    if (time.value !== null) value[member] = time.value
  }
  return { value, problems }
}

const NOTHING: Part = { value: {}, problems: [] }

function compileRetryOf(rule: RouteRule, at: FieldPath<RouteRule>): Part {
  if (rule.retry === undefined) return NOTHING
  const { value: retry, problems } = compileRetry(rule.retry, at.child('retry'))
  return { value: { retry }, problems }
}

/** RFC 9110 section 9.2.1, without TRACE, which no backend should answer. */
const SAFE = ['GET', 'HEAD', 'OPTIONS'] as const

export function compileRetry(spec: RetrySpec, at: FieldPath<RetrySpec>): Checked<Retry> {
  const perTry =
    spec.perTry === undefined ? UNSTATED : waitMs(spec.perTry, at.child('perTry'), '1ms')
  const backoff = compileBackoff(spec, at)
  const value: Retry = {
    attempts: spec.attempts,
    causes: spec.causes ?? ['connect'],
    statuses: spec.statuses ?? [],
    methods: spec.methods ?? SAFE,
    perTryMs: perTry.value,
    backoff: backoff.value,
    budgetPerMille: spec.budget === undefined ? RETRY_BUDGET_PER_MILLE : perMille(spec.budget),
  }
  return { value, problems: [...perTry.problems, ...backoff.problems] }
}

const UNSTATED: Checked<null> = { value: null, problems: [] }

function compileBackoff(spec: RetrySpec, at: FieldPath<RetrySpec>): Checked<Retry['backoff']> {
  const { base, max } = spec.backoff ?? {}
  const place = at.child('backoff')
  const first = base === undefined ? UNSTATED : waitMs(base, place.child('base'), '0s')
  const any = max === undefined ? UNSTATED : waitMs(max, place.child('max'), '0s')
  const baseMs = first.value ?? BACKOFF_BASE_MS
  // Who raises the base alone wants to wait for it.
  const maxMs = any.value ?? Math.max(BACKOFF_MAX_MS, baseMs)
  const problems = [...first.problems, ...any.problems]
  if (maxMs < baseMs) {
    const sentence = 'The longest wait is shorter than the first one; raise max or lower base.'
    problems.push(place.child('max').problem('Invalid', sentence))
  }
  return { value: { baseMs, maxMs }, problems }
}

function compileHedge(rule: RouteRule, at: FieldPath<RouteRule>): Part {
  if (rule.hedge === undefined) return NOTHING
  const { value, problems } = waitMs(rule.hedge.after, at.child('hedge').child('after'), '0s')
  return { value: value === null ? {} : { hedge: { afterMs: value } }, problems }
}
