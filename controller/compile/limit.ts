/**
 * One part of a RateLimitPolicy (bare fields, `defaults` or `overrides`): its limits with all
 * defaults applied. A limit that cannot be counted makes the part unusable, since letting everything
 * pass is not what was written.
 * Pinned by limit.test.ts: "burst is the number of the rate unless it is written".
 */
import type { LimitEntrySpec, RateLimitPolicyPart } from '../../crds/rate-limit-policy.ts'
import { RATE_COUNT_MAX, RATE_PERIOD_MS_MAX } from '#wire/limits'
import type { Limit, Rate } from '#wire/rate-limit'
import type { Expression } from '#wire/value'
import { checkExpression, type Within } from './expression.ts'
import type { Checked, FieldPath, Problem } from './problem.ts'
import { ratePer } from './quantity.ts'
import type { CompileLimitPart, LimitWithin } from './steps.ts'
import { notSupportedYet } from './supported.ts'

export const compileLimitPart: CompileLimitPart = (part, at, within) => {
  const limits = new Map<string, Limit>()
  const disabled: string[] = []
  const problems: Problem[] = [...notSupportedYet('limitPart', part, at)]
  const specs = part.limits ?? {}
  for (const name of Object.keys(specs).toSorted()) {
    const spec = specs[name]
    if (spec === undefined) continue
    if (spec.disabled === true) {
      disabled.push(name)
      continue
    }
    const place = at.child('limits').key(name)
    const limit = compileLimit(spec, place, { ...within, name, part })
    problems.push(...limit.problems)
    if (limit.value !== null) limits.set(name, limit.value)
  }
  const usable = problems.some(({ severity }) => severity === 'failure') ? 'no' : 'yes'
  return { value: { limits, disabled, usable }, problems }
}

type At = FieldPath<LimitEntrySpec>

interface EntryWithin extends LimitWithin {
  readonly name: string
  readonly part: RateLimitPolicyPart
}

function compileLimit(spec: LimitEntrySpec, at: At, within: EntryWithin): Checked<Limit | null> {
  const expressions = expressionsOf(spec)
  const key = expressionOf(spec.key, at.child('key'), expressions)
  const when = expressionOf(spec.when, at.child('when'), { ...expressions, expects: 'bool' })
  const measure = compileMeasure(spec, at, expressions)
  const problems = [...key.problems, ...when.problems, ...measure.problems]
  if (measure.value === null || problems.length > 0) return { value: null, problems }
  const value: Limit = {
    policy: within.policy,
    name: within.name,
    per: spec.per ?? 'policy',
    stage: spec.stage ?? 'afterAuth',
    mode: within.part.mode ?? 'enforce',
    key: key.value,
    onMissingKey: within.part.onMissingKey ?? 'refuse',
    when: when.value,
    measure: measure.value,
  }
  return { value, problems }
}

/** Before authentication there is only the request: nobody is known yet. */
function expressionsOf({ stage }: LimitEntrySpec): Within {
  return { place: stage === 'beforeAuth' ? 'match' : 'policy' }
}

function expressionOf(
  text: string | undefined,
  at: FieldPath<string>,
  within: Within,
): Checked<Expression | null> {
  if (text === undefined) return { value: null, problems: [] }
  const { value, problems } = checkExpression(text, at, within)
  return { value: value === null ? null : text, problems: problems.map(explained(within)) }
}

/** The words of a place say what may be used, but not why the usual ones may not. */
function explained({ place }: Within): (problem: Problem) => Problem {
  if (place !== 'match') return (problem) => problem
  const because = ' A limit of stage beforeAuth is taken before anybody is known.'
  return (problem) => ({ ...problem, sentence: `${problem.sentence}${because}` })
}

function compileMeasure(
  spec: LimitEntrySpec,
  at: At,
  expressions: Within,
): Checked<Limit['measure'] | null> {
  if (spec.rate !== undefined && spec.concurrency === undefined) {
    return compileRateMeasure(spec, spec.rate, at, expressions)
  }
  if (spec.concurrency === undefined || spec.rate !== undefined) {
    const sentence = 'Write exactly one of rate, concurrency, disabled.'
    return { value: null, problems: [at.problem('Invalid', sentence)] }
  }
  const problems = (['burst', 'rates', 'cost'] as const).flatMap((field) =>
    spec[field] === undefined
      ? []
      : [at.child(field).problem('Invalid', `${field} belongs to a rate; remove it.`)],
  )
  return { value: { kind: 'concurrency', max: spec.concurrency }, problems }
}

function compileRateMeasure(
  spec: LimitEntrySpec,
  written: string,
  at: At,
  expressions: Within,
): Checked<Limit['measure'] | null> {
  const rate = compileRate(written, spec.burst, at.child('rate'))
  const cost = expressionOf(spec.cost, at.child('cost'), expressions)
  const problems = [...rate.problems, ...cost.problems]
  const rates: { when: Expression; rate: Rate }[] = []
  for (const [i, other] of (spec.rates ?? []).entries()) {
    const place = at.child('rates').index(i)
    const when = expressionOf(other.when, place.child('when'), { ...expressions, expects: 'bool' })
    const instead = compileRate(other.rate, other.burst, place.child('rate'))
    problems.push(...when.problems, ...instead.problems)
    if (when.value !== null && instead.value !== null) {
      rates.push({ when: when.value, rate: instead.value })
    }
  }
  if (rate.value === null) return { value: null, problems }
  return { value: { kind: 'rate', cost: cost.value, rate: rate.value, rates }, problems }
}

const DAYS_MAX = RATE_PERIOD_MS_MAX / 86_400_000

function compileRate(
  written: string,
  burst: number | undefined,
  at: FieldPath<string>,
): Checked<Rate | null> {
  const rate = ratePer(written)
  if (rate !== null) return { value: { ...rate, burst: burst ?? rate.count }, problems: [] }
  const sentence =
    `"${written}" is no rate: write a number up to ${RATE_COUNT_MAX} and a time up to ` +
    `${DAYS_MAX} days, such as 60/1m or 5000/1s.`
  return { value: null, problems: [at.problem('Invalid', sentence)] }
}
