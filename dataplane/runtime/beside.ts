/**
 * What one worker does beside its exchanges: so much at once and no more, and counted. It outlives the
 * tables that a worker runs.
 * Pinned by beside.test.ts: "a gate lets in as many as it holds".
 */
import { CACHE_BYTES_MAX, COMPRESSIONS_MAX, MIRRORS_MAX, REFRESHES_MAX } from '#wire/limits'
import { Flights } from '../phases/cache/flights.ts'
import { AnswerStore } from '../phases/cache/store.ts'

/** What is counted; metrics-slab has a cell for each. */
export type BesideCount =
  | 'mirrored'
  | 'mirrorsDropped'
  | 'cacheServed'
  | 'cacheWaits'
  | 'cacheRefreshes'

export interface Beside {
  readonly mirrors: Gate
  readonly compressions: Gate
  readonly answers: AnswerStore
  readonly flights: Flights
  readonly refreshes: Gate
  count(what: BesideCount): void
}

export function createBeside(count: (what: BesideCount) => void = () => undefined): Beside {
  return {
    mirrors: new Gate(MIRRORS_MAX),
    compressions: new Gate(COMPRESSIONS_MAX),
    answers: new AnswerStore(CACHE_BYTES_MAX),
    flights: new Flights(),
    refreshes: new Gate(REFRESHES_MAX),
    count,
  }
}

export class Gate {
  readonly #max: number
  #inside = 0

  constructor(max: number) {
    this.#max = max
  }

  get inside(): number {
    return this.#inside
  }

  /** Whoever was let in leaves once. */
  enter(): 'entered' | 'full' {
    if (this.#inside >= this.#max) return 'full'
    this.#inside += 1
    return 'entered'
  }

  leave(): void {
    this.#inside -= 1
  }
}
