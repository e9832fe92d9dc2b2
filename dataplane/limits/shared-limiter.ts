/**
 * The limiter over shared memory: takes the limits of a stage in their order, and gives back what it
 * has taken when one of them refuses. What others see meanwhile is a bucket that is a little emptier
 * than it will be: they may be refused for it, nobody is let through for it.
 * Pinned by shared-limiter.test.ts: "a refused limit gives back those taken before it".
 */
import type { Exchange } from '../request/exchange.ts'
import { isFailure, type Prepared, type Scope } from '../runtime/expression-types.ts'
import { Double, Uint } from '../runtime/expression-values.ts'
import { bucketValue, createBucketNames, WHOLE, type BucketNames } from './bucket-name.ts'
import { GaugeTable, REFUSED } from './gauge-table.ts'
import { costNs, localPart, remaining, waitNs } from './gcra.ts'
import type {
  Limiter,
  PreparedConcurrency,
  PreparedLimit,
  PreparedRate,
  TakeResult,
} from './limiter.ts'
import type { LocalRate } from './local-rate.ts'
import { type Charge, RateTable } from './rate-table.ts'
import type { LimitMemory } from './shared.ts'
import type { Standing } from './taken.ts'

const NS_PER_S = 1_000_000_000n
/** A request in flight ends when it ends: nobody can say when. */
const CONCURRENCY_RETRY_S = 1

interface Step {
  readonly scope: Scope
  readonly nowNs: bigint
  readonly dataPlanes: number
  readonly counted: Counted[]
  readonly held: number[]
  readonly observed: string[]
}

/** One rate that was asked. */
interface Counted {
  readonly limit: PreparedLimit
  readonly rate: LocalRate
  readonly charge: Charge
}

type Verdict =
  | { readonly kind: 'room' }
  | { readonly kind: 'keyMissing' }
  | { readonly kind: 'refused'; readonly retryAfterS: number }
const ROOM: Verdict = { kind: 'room' }
const KEY_MISSING: Verdict = { kind: 'keyMissing' }

export class SharedLimiter implements Limiter {
  readonly #rates: RateTable
  readonly #gauges: GaugeTable
  readonly #names: BucketNames
  readonly #nowNs: () => bigint

  /** `column`: of this worker. `nowNs`: a clock that all threads read alike. */
  constructor(
    memory: LimitMemory,
    column: number,
    nowNs: () => bigint = () => process.hrtime.bigint(),
  ) {
    this.#rates = new RateTable(memory)
    this.#gauges = new GaugeTable(memory, column)
    this.#names = createBucketNames(memory.secret)
    this.#nowNs = nowNs
  }

  take(limits: readonly PreparedLimit[], exchange: Exchange, dataPlanes: number): TakeResult {
    const step: Step = {
      scope: { exchange, caller: exchange.caller, calls: null, locals: null },
      nowNs: this.#nowNs(),
      dataPlanes,
      counted: [],
      held: [],
      observed: [],
    }
    for (const limit of limits) {
      if (limit.when !== null && limit.when.test(step.scope) === 'false') continue
      const verdict = this.#takeOne(limit, step)
      if (verdict.kind === 'room') continue
      if (limit.limit.mode === 'observe') {
        step.observed.push(limit.limit.name)
        continue
      }
      this.#giveBack(step)
      if (verdict.kind === 'keyMissing') return { kind: 'keyMissing', by: limit }
      const standings = standingsOf(step, 'givenBack')
      return { kind: 'refused', by: limit, standings, retryAfterS: verdict.retryAfterS }
    }
    const { held, observed } = step
    return { kind: 'admitted', standings: standingsOf(step, 'kept'), held, observed }
  }

  release(held: readonly number[]): void {
    for (const one of held) this.#gauges.release(one)
  }

  #giveBack({ counted, held }: Step): void {
    const nowNs = this.#nowNs()
    for (const { charge } of counted) this.#rates.giveBack(charge, nowNs)
    this.release(held)
  }

  #takeOne(limit: PreparedLimit, step: Step): Verdict {
    const value = limit.key === null ? WHOLE : valueOf(limit.key, step.scope)
    if (value === null && limit.limit.onMissingKey === 'refuse') return KEY_MISSING
    switch (limit.measure.kind) {
      case 'rate':
        return this.#takeRate(limit, limit.measure, value ?? WHOLE, step)
      case 'concurrency':
        return this.#takeGauge(limit, limit.measure, value ?? WHOLE, step)
      default:
        return limit.measure satisfies never
    }
  }

  #takeRate(limit: PreparedLimit, measure: PreparedRate, value: string, step: Step): Verdict {
    const at = measure.rates.findIndex(({ when }) => when.test(step.scope) === 'true')
    const rate = measure.rates[at]?.rate ?? measure.rate
    const parts = rate.parts(step.dataPlanes)
    const takeNs =
      measure.cost === null ? parts.intervalNs : costNs(cost(measure.cost, step), parts)
    const key = this.#names.key(limit, at + 1, value)
    const charge = this.#rates.take(key, { nowNs: step.nowNs, takeNs, parts })
    step.counted.push({ limit, rate, charge })
    if (charge.kind === 'admitted') return ROOM
    const wait = waitNs(charge.backlogNs, takeNs, parts)
    return { kind: 'refused', retryAfterS: wait === null ? periodS(rate) : seconds(wait) }
  }

  #takeGauge(
    limit: PreparedLimit,
    { max }: PreparedConcurrency,
    value: string,
    step: Step,
  ): Verdict {
    const held = this.#gauges.take(
      this.#names.key(limit, 0, value),
      localPart(max, step.dataPlanes),
    )
    if (held === REFUSED) return { kind: 'refused', retryAfterS: CONCURRENCY_RETRY_S }
    step.held.push(held)
    return ROOM
  }
}

function valueOf(key: Prepared, scope: Scope): string | null {
  const value = key.evaluate(scope)
  return isFailure(value) ? null : bucketValue(value)
}

/** What cannot be computed costs 1; nothing costs less than nothing. */
function cost(expression: Prepared, { scope }: Step): number {
  const value = expression.evaluate(scope)
  const number = value instanceof Double || value instanceof Uint ? Number(value.value) : value
  if (typeof number === 'bigint') return Math.max(0, Number(number))
  if (typeof number !== 'number' || Number.isNaN(number)) return 1
  return Math.max(0, number)
}

/** Of those that are enforced: what is only watched is nothing to a client. */
function standingsOf({ counted, dataPlanes }: Step, fate: 'kept' | 'givenBack'): Standing[] {
  return counted.flatMap(({ limit, rate, charge }) => {
    if (limit.limit.mode === 'observe') return []
    const back = fate === 'givenBack' && charge.kind === 'admitted' ? charge.takeNs : 0n
    return [standing(limit, rate, charge.backlogNs - back, dataPlanes)]
  })
}

function standing(
  limit: PreparedLimit,
  rate: LocalRate,
  backlogNs: bigint,
  dataPlanes: number,
): Standing {
  return {
    name: limit.limit.name,
    count: rate.rate.count,
    periodS: periodS(rate),
    remaining: remaining(backlogNs, rate.parts(dataPlanes)),
    resetS: seconds(backlogNs),
  }
}

function periodS({ rate }: LocalRate): number {
  return Math.max(1, Math.ceil(rate.periodMs / 1000))
}

/** Rounded up: who waits that long finds room. */
function seconds(ns: bigint): number {
  return Number((ns + NS_PER_S - 1n) / NS_PER_S)
}
