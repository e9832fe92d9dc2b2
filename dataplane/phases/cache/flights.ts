/**
 * Requests for one answer that come while it is on its way: the first asks the backend, the others
 * wait for what it brings. Whoever has waited too long, or for an answer that nobody may keep, asks
 * the backend too.
 * Pinned by flights.test.ts: "one asks and the others wait, until it has landed".
 */

/** An answer that takes longer is waited for by nobody: a slow reader of it would hold up others. */
const WAIT_MS_MAX = 3_000
/** What was not kept a moment ago will not be now: its requests do not wait for each other. */
const APART_MS = 10_000
const APART_MAX = 1_024

/** How it ended: there is an answer in the store, there is none to keep, or nobody learned. */
export type Landing = 'kept' | 'notKept' | 'unknown'

export interface Flight {
  /** Only the first call counts. */
  land(how: Landing): void
}

export type Boarding =
  | { readonly kind: 'first'; readonly flight: Flight }
  | { readonly kind: 'wait'; readonly landed: Promise<void> }
  | { readonly kind: 'apart' }

/** Of one worker. */
export class Flights {
  readonly #underway = new Map<string, Underway>()
  /** Until when; the oldest first. */
  readonly #apart = new Map<string, number>()

  /** Whoever is the first must land, whatever happens to it. */
  board(key: string, nowMs: number): Boarding {
    const underway = this.#underway.get(key)
    if (underway !== undefined) return { kind: 'wait', landed: underway.landed() }
    if ((this.#apart.get(key) ?? 0) > nowMs) return { kind: 'apart' }
    const flight = new Underway((how) => {
      if (this.#underway.get(key) === flight) this.#underway.delete(key)
      if (how === 'notKept') this.#keepApart(key, nowMs + APART_MS)
    })
    this.#underway.set(key, flight)
    return { kind: 'first', flight }
  }

  get underway(): number {
    return this.#underway.size
  }

  #keepApart(key: string, untilMs: number): void {
    this.#apart.delete(key)
    this.#apart.set(key, untilMs)
    const [oldest] = this.#apart.size > APART_MAX ? this.#apart.keys() : []
    if (oldest !== undefined) this.#apart.delete(oldest)
  }
}

class Underway implements Flight {
  readonly #over: (how: Landing) => void
  readonly #landed = Promise.withResolvers<void>()
  #state: 'flying' | 'landed' = 'flying'
  #timer: NodeJS.Timeout | null = null

  constructor(over: (how: Landing) => void) {
    this.#over = over
  }

  /** The clock runs from the first who waits: nobody waits longer. */
  landed(): Promise<void> {
    this.#timer ??= setTimeout(() => this.land('unknown'), WAIT_MS_MAX).unref()
    return this.#landed.promise
  }

  land(how: Landing): void {
    if (this.#state === 'landed') return
    this.#state = 'landed'
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#over(how)
    this.#landed.resolve()
  }
}
