/**
 * A rule's limits made ready when its table arrives, apart by the stage in which they are taken.
 * A limit that cannot be made ready would be no limit: the rule answers 503 instead.
 * Pinned by build.test.ts: "a limit that cannot be prepared closes the rule".
 */
import type { Limit } from '#wire/rate-limit'
import type { Expression, Reject } from '#wire/value'
import type { Prepared } from '../runtime/expression-types.ts'
import type {
  PreparedLimits,
  PrepareEnvironment,
  Refused,
  RuleLimits,
  TableReader,
} from '../runtime/prepare.ts'
import type { PreparedConcurrency, PreparedLimit, PreparedRate } from './limiter.ts'
import { LocalRate } from './local-rate.ts'

export function buildLimits(
  rule: RuleLimits,
  reader: TableReader,
  env: PrepareEnvironment,
): PreparedLimits | Reject {
  const limits: PreparedLimit[] = []
  for (const key of rule.limits) {
    const limit = reader.get('limit', key)
    if (limit === null) return UNENFORCEABLE
    const prepared = prepare(limit, bucketOf(key, limit, rule), env)
    if ('because' in prepared) {
      reader.reject('limit', key, prepared.because)
      return UNENFORCEABLE
    }
    limits.push(prepared)
  }
  return { beforeAuth: of(limits, 'beforeAuth'), afterAuth: of(limits, 'afterAuth') }
}

/** Says nothing of why: the controller is told, the client is not. */
const UNENFORCEABLE: Reject = {
  kind: 'reject',
  status: 503,
  cause: 'policy-invalid',
  because: 'A limit of this API cannot be enforced at the moment.',
}

function of(limits: readonly PreparedLimit[], stage: Limit['stage']): PreparedLimit[] | null {
  const these = limits.filter(({ limit }) => limit.stage === stage)
  return these.length === 0 ? null : these
}

/** Bucket names outlive tables: a push changes what may be taken, not what has been. */
function bucketOf(key: string, { per }: Limit, { route, rule }: RuleLimits): string {
  switch (per) {
    case 'policy':
      return key
    case 'route':
      return `${key} route ${route}`
    case 'rule':
      return `${key} rule ${rule}`
    default:
      return per satisfies never
  }
}

function prepare(limit: Limit, bucket: string, env: PrepareEnvironment): PreparedLimit | Refused {
  const key = optional(limit.key, env)
  const when = optional(limit.when, env)
  const measure = prepareMeasure(limit.measure, env)
  if (isRefused(key)) return key
  if (isRefused(when)) return when
  if (isRefused(measure)) return measure
  return { limit, bucket, key, when, measure }
}

function prepareMeasure(
  measure: Limit['measure'],
  env: PrepareEnvironment,
): PreparedRate | PreparedConcurrency | Refused {
  if (measure.kind === 'concurrency') return { kind: 'concurrency', max: measure.max }
  const cost = optional(measure.cost, env)
  if (isRefused(cost)) return cost
  const rates: { when: Prepared; rate: LocalRate }[] = []
  for (const { when, rate } of measure.rates) {
    const prepared = env.prepare.expression(when)
    if (isRefused(prepared)) return prepared
    rates.push({ when: prepared, rate: new LocalRate(rate) })
  }
  return { kind: 'rate', cost, rate: new LocalRate(measure.rate), rates }
}

function optional(text: Expression | null, env: PrepareEnvironment): Prepared | Refused | null {
  return text === null ? null : env.prepare.expression(text)
}

function isRefused(part: object | null): part is Refused {
  return part !== null && 'kind' in part && part.kind === 'refused'
}
