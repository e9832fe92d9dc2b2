/**
 * When a data plane may get traffic: once it runs what the first controller that it heard offers, so
 * that a new member never answers from an older table than the others; without a controller, once it
 * is clear that none will come soon and the table from disk is all there is. Ready stays ready.
 * Pinned by readiness.test.ts: "a new member is not ready before it runs what was offered in hello".
 */
import { behind } from '#wire/basis'
import type { Reached } from '#wire/basis'
import type { Held } from './held.ts'

export interface Readiness {
  readonly state: 'waiting' | 'ready'
  /** For people, while it is waiting. */
  readonly because: string
  readonly ready: Promise<void>
  offered(reached: Reached): void
  committed(): void
  /** Every controller was tried, or one of them sends what cannot be taken. */
  alone(because: string): void
}

export function createReadiness(held: Held): Readiness {
  const { promise, resolve } = Promise.withResolvers<void>()
  let state: 'waiting' | 'ready' = 'waiting'
  let because = 'no table has come yet'
  let awaited: Reached | null = null

  function become(): void {
    state = 'ready'
    because = ''
    resolve()
  }

  function look(): void {
    if (awaited === null || held.hash === null) return
    const type = behind(held.reached, awaited)
    if (type === null) become()
    else because = `the table that runs is behind in ${type}`
  }

  return {
    get state() {
      return state
    },
    get because() {
      return because
    },
    ready: promise,
    offered(reached) {
      awaited ??= reached
      look()
    },
    committed: look,
    alone(reason) {
      if (held.hash !== null) become()
      else if (state === 'waiting') because = reason
    },
  }
}
