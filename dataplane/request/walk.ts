/**
 * How the steps of serve follow each other: at once where nothing has to be waited for, and whatever
 * a phase throws becomes an answer. Proved by serve.test.ts.
 */
import type { Runtime } from '../runtime/runtime.ts'
import type { Exchange } from './exchange.ts'
import { type Failure, fail } from './failure.ts'
import { Later } from './later.ts'
import type { Outcome } from './outcome.ts'

/** Now, or later. */
export type Soon<T> = T | Later<T> | Promise<T>

export type Phase = (exchange: Exchange, runtime: Runtime) => Soon<Outcome>

/** Sets `exchange.decision`. Never throws and never rejects. */
export function firstAnswer(
  phases: readonly Phase[],
  exchange: Exchange,
  runtime: Runtime,
): Soon<void> {
  for (let i = 0; exchange.decision === null; i++) {
    const outcome = outcomeOf(phases[i] ?? noPhaseAnswered, exchange, runtime)
    if (outcome instanceof Later || outcome instanceof Promise) {
      return decidedLater(outcome, phases.slice(i + 1), exchange, runtime)
    }
    decide(exchange, outcome)
  }
}

function decidedLater(
  outcome: Later<Outcome> | Promise<Outcome>,
  rest: readonly Phase[],
  exchange: Exchange,
  runtime: Runtime,
): Soon<void> {
  if (outcome instanceof Promise) return decidedInTurn(outcome, rest, exchange, runtime)
  return after(outcome, (made) => {
    decide(exchange, made)
    return firstAnswer(rest, exchange, runtime)
  })
}

/** A promise may fail as well. */
async function decidedInTurn(
  outcome: Promise<Outcome>,
  rest: readonly Phase[],
  exchange: Exchange,
  runtime: Runtime,
): Promise<void> {
  try {
    decide(exchange, await outcome)
  } catch (error) {
    exchange.decision = bugFailure(error, exchange, runtime)
  }
  await firstAnswer(rest, exchange, runtime)
}

function outcomeOf(phase: Phase, exchange: Exchange, runtime: Runtime): Soon<Outcome> {
  try {
    return phase(exchange, runtime)
  } catch (error) {
    return bugFailure(error, exchange, runtime)
  }
}

function decide(exchange: Exchange, outcome: Outcome): void {
  if (outcome.kind !== 'continue') exchange.decision = outcome
}

function noPhaseAnswered(): Outcome {
  throw new Error('no phase has answered')
}

/** Tells the worker, and the client no more than that it was us. */
export function bugFailure(error: unknown, exchange: Exchange, runtime: Runtime): Failure {
  reportBug(error, exchange, runtime)
  return fail('bug', 'The gateway has failed; the failure has been recorded.')
}

export function reportBug(error: unknown, exchange: Exchange, runtime: Runtime): void {
  try {
    runtime.bug(error, exchange)
  } catch {
    // whoever reports bugs has one: the exchange must still end in its record
  }
}

/** `next` with the value, in this turn where it is there already, and in the call that tells it. */
export function after<T, U>(value: Soon<T>, next: (value: T) => Soon<U>): Soon<U> {
  if (value instanceof Promise) return value.then(next)
  if (!(value instanceof Later)) return next(value)
  const made = new Later<U>()
  value.tell((told) => settleWith(made, next(told)))
  return made
}

function settleWith<U>(made: Later<U>, value: Soon<U>): void {
  const settle = (told: U): void => made.settle(told)
  if (value instanceof Later) value.tell(settle)
  else if (value instanceof Promise) void value.then(settle)
  else settle(value)
}
