/**
 * The calls of one aggregate under way: each starts when those it depends on are settled, as many at
 * once as is allowed, and every call settles exactly once, by its answer, its fallback or the
 * deadline. The first required call that fails ends all others.
 * Pinned by aggregate.test.ts: "calls run at once where nothing orders them".
 */
import { monotonicMs } from '../../clock.ts'
import type { CelValue, Scope } from '../../runtime/expression-types.ts'
import type { UpstreamRequest } from '../../upstream/upstream.ts'
import {
  type Allowance,
  type CallFailure,
  type CallFailureCode,
  type CallResult,
  type CallWithin,
  callValue,
  failed,
  NO_HEADERS,
  type Sent,
  send,
} from './aggregate-call.ts'
import { createGate, type Gate } from './aggregate-gate.ts'
import { type ItemPlan, type Items, planItems, summed } from './aggregate-items.ts'
import { flightKey, requestOf } from './aggregate-request.ts'
import type { PreparedAggregate, PreparedCall } from './prepared-aggregate.ts'

/** One entry of `_errors`. */
export interface CallError {
  readonly call: string
  readonly code: CallFailureCode
  readonly status: number | null
  readonly durationMs: number
  readonly fallback: 'used' | 'none'
}

export type Finished =
  | {
      readonly kind: 'filled'
      readonly errors: readonly CallError[]
      readonly timings: readonly Timing[]
    }
  | { readonly kind: 'failed'; readonly by: PreparedCall; readonly failure: CallFailure }

export interface Timing {
  readonly call: string
  readonly durationMs: number
}

type State = 'waiting' | 'running' | 'settled'

/** A request that was sent: its answer, or who waits for it. */
interface Flight {
  result: CallResult | null
  readonly listeners: ((result: CallResult) => void)[]
}

export class AggregateRun {
  readonly scope: Scope
  readonly #action: PreparedAggregate
  readonly #within: CallWithin
  readonly #states: State[]
  readonly #calls: Record<string, CelValue> = Object.create(null)
  readonly #errors: CallError[] = []
  readonly #timings: Timing[] = []
  readonly #gate: Gate
  /** Equal safe requests are sent once, also where the first has long been answered. */
  readonly #flights = new Map<string, Flight>()
  readonly #sent = new Set<Sent>()
  readonly #finish: (finished: Finished) => void
  readonly #timer: NodeJS.Timeout
  #over: 'no' | 'yes' = 'no'

  constructor(
    action: PreparedAggregate,
    within: Omit<CallWithin, 'allowance' | 'deadlineMs'>,
    finish: (finished: Finished) => void,
  ) {
    const { limits } = action
    const allowance: Allowance = { bytesLeft: limits.totalBytesMax, callsLeft: limits.callsMax }
    this.#action = action
    this.#within = { ...within, allowance, deadlineMs: monotonicMs() + limits.deadlineMs }
    this.#states = action.calls.map(() => 'waiting')
    this.#gate = createGate(limits.concurrencyMax)
    this.#finish = finish
    const { exchange } = within
    this.scope = { exchange, caller: exchange.caller, calls: this.#calls, locals: null }
    this.#timer = setTimeout(() => this.#expire(), limits.deadlineMs)
  }

  start(): void {
    this.#advance()
  }

  /** The client is gone: nothing is answered any more. */
  abort(): void {
    this.#over = 'yes'
    clearTimeout(this.#timer)
    this.#gate.close()
    for (const sent of this.#sent) sent.abort()
    this.#sent.clear()
  }

  #advance(): void {
    for (const [position, prepared] of this.#action.calls.entries()) {
      if (this.#over === 'yes') return
      const ready = prepared.dependsOn.every((other) => this.#states[other] === 'settled')
      if (this.#states[position] === 'waiting' && ready) this.#begin(position, prepared)
    }
    if (this.#over === 'no' && this.#states.every((state) => state === 'settled')) this.#end()
  }

  #end(): void {
    this.abort()
    const { calls } = this.#action
    const errors = inOrder(calls, this.#errors)
    this.#finish({ kind: 'filled', errors, timings: inOrder(calls, this.#timings) })
  }

  #begin(position: number, prepared: PreparedCall): void {
    this.#states[position] = 'running'
    const wanted = prepared.when === null ? 'true' : prepared.when.test(this.scope)
    if (wanted === 'false') {
      this.#settle(position, callValue('no', 0, NO_HEADERS, standIn(prepared)))
      return
    }
    if (wanted === 'failed') this.#fail(position, failed('missing-input'))
    else if (prepared.forEach === null) this.#single(position, prepared)
    else this.#each(position, prepared)
  }

  #single(position: number, prepared: PreparedCall): void {
    this.#request(prepared, this.scope, (result) => {
      this.#timings.push({ call: prepared.call.name, durationMs: result.durationMs })
      if (result.kind === 'answered') this.#settle(position, result.value)
      else this.#fail(position, result)
    })
  }

  #each(position: number, prepared: PreparedCall): void {
    const plan = planItems(prepared, this.scope, this.#within)
    if (plan.kind === 'failed') {
      this.#fail(position, plan)
      return
    }
    if (plan.truncated === 'yes') this.#note(prepared, failed('too-many-items'), 'none')
    const startedMs = monotonicMs()
    this.#items(prepared, plan, (items) => {
      this.#timings.push({ call: prepared.call.name, durationMs: monotonicMs() - startedMs })
      const sum = summed(prepared, plan, items)
      if (sum.kind === 'failed') {
        this.#fail(position, sum)
        return
      }
      for (const { failure, fallback } of sum.replaced) this.#note(prepared, failure, fallback)
      this.#settle(position, sum.value)
    })
  }

  /** All items, as many at once as the call allows; stops early where one failure decides. */
  #items(prepared: PreparedCall, plan: ItemPlan, done: (items: Items) => void): void {
    const results: (CallResult | null)[] = plan.items.map(({ failure }) => failure)
    const gate = createGate(prepared.forEach?.concurrency ?? 1)
    let left = results.filter((result) => result === null).length
    if (left === 0) done(results)
    for (const [i, { scope, failure }] of plan.items.entries()) {
      if (failure !== null) continue
      gate.enter(() => {
        this.#request(prepared, scope, (result) => {
          gate.leave()
          if (left < 0) return
          results[i] = result
          left -= 1
          const decided = result.kind === 'failed' && prepared.forEach?.onItemError === 'fail'
          if (left > 0 && !decided) return
          left = -1
          gate.close()
          done(results)
        })
      })
    }
  }

  /** `done` may be called before this returns. */
  #request(prepared: PreparedCall, scope: Scope, done: (result: CallResult) => void): void {
    const request = requestOf(prepared, scope, this.#within)
    if ('kind' in request) {
      done(request)
      return
    }
    const key = flightKey(prepared, request)
    const known = key === null ? undefined : this.#flights.get(key)
    if (known?.result != null) done(known.result)
    else if (known !== undefined) known.listeners.push(done)
    else {
      const flight: Flight = { result: null, listeners: [done] }
      if (key !== null) this.#flights.set(key, flight)
      this.#gate.enter(() => this.#fly(prepared, request, flight))
    }
  }

  #fly(prepared: PreparedCall, request: UpstreamRequest, flight: Flight): void {
    const { allowance } = this.#within
    allowance.callsLeft -= 1
    const land = (result: CallResult): void => {
      if (isOfTheWhole(result, request, this.#within)) return this.#expire()
      this.#gate.leave()
      flight.result = result
      for (const listener of flight.listeners) if (this.#over === 'no') listener(result)
    }
    if (allowance.callsLeft < 0) {
      land(failed('too-many-calls'))
      return
    }
    const sent = send(request, prepared.call, this.#within, (result) => {
      this.#sent.delete(sent)
      land(result)
    })
    this.#sent.add(sent)
  }

  #settle(position: number, value: CelValue): void {
    const prepared = this.#action.calls[position]
    if (prepared === undefined || this.#states[position] === 'settled') return
    this.#states[position] = 'settled'
    this.#calls[prepared.call.name] = value
    this.#advance()
  }

  /** A fallback stands for the body; without one the failure is the answer of all. */
  #fail(position: number, failure: CallFailure): void {
    const prepared = this.#action.calls[position]
    if (prepared === undefined || this.#states[position] === 'settled') return
    if (prepared.call.fallback === null) {
      this.abort()
      this.#finish({ kind: 'failed', by: prepared, failure })
      return
    }
    this.#note(prepared, failure, prepared.call.fallback.kind === 'value' ? 'used' : 'none')
    this.#settle(position, callValue('no', failure.status ?? 0, NO_HEADERS, standIn(prepared)))
  }

  #note(prepared: PreparedCall, failure: CallFailure, fallback: CallError['fallback']): void {
    const { code, status, durationMs } = failure
    this.#errors.push({ call: prepared.call.name, code, status, durationMs, fallback })
  }

  /** The deadline of the whole: whatever is not settled has timed out. */
  #expire(): void {
    this.#gate.close()
    for (const sent of this.#sent) sent.abort()
    this.#sent.clear()
    const late = [...this.#states.keys()].filter((position) => this.#states[position] !== 'settled')
    for (const position of late) this.#lateTiming(position)
    // None of them may begin now that others settle.
    for (const position of late) this.#states[position] = 'running'
    for (const position of late) {
      if (this.#over === 'yes') return
      this.#fail(position, failed('timeout', null, this.#action.limits.deadlineMs))
    }
  }

  /** A call that the deadline ends has taken its time, whichever clock rings first. */
  #lateTiming(position: number): void {
    const prepared = this.#action.calls[position]
    if (prepared === undefined || this.#states[position] !== 'running') return
    const durationMs = this.#action.limits.deadlineMs
    this.#timings.push({ call: prepared.call.name, durationMs })
  }
}

/**
 * The deadline of the whole has ended it. Its clock may ring a moment before that of the whole: what
 * depends on it must not begin in between.
 */
function isOfTheWhole(
  result: CallResult,
  { deadlineMs }: UpstreamRequest,
  within: CallWithin,
): boolean {
  return result.kind === 'failed' && result.code === 'timeout' && deadlineMs >= within.deadlineMs
}

/** Which call was done first is chance: it must not show in the answer. */
function inOrder<T extends { readonly call: string }>(
  calls: readonly PreparedCall[],
  told: readonly T[],
): readonly T[] {
  if (told.length < 2) return told
  return calls.flatMap(({ call }) => told.filter((one) => one.call === call.name))
}

/** What stands for the body of a call that has none. */
export function standIn({ call }: PreparedCall): CelValue {
  return call.fallback?.kind === 'value' ? call.fallback.value : null
}
