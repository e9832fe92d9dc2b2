/**
 * All deadlines of one worker behind a single timer: a wheel of slots, turned once per tick. Each
 * request having a timer of its own would cost more than the rest of its bookkeeping.
 * Pinned by deadlines.test.ts: "every deadline fires once, within a tick of its time, in no case
 * before".
 */

export const TICK_MS = 10
/** A turn of the wheel is 5 s; later deadlines simply stay for further turns. */
const SLOTS = 512
/** After so many empty ticks the timer stops: requests come in bursts, starting it costs 1 µs. */
const IDLE_TICKS_MAX = 200

export interface Expiring {
  /** Never throws. */
  expire(): void
}

/** One waiting deadline: a node of its slot's list, so that cancelling is three assignments. */
export class Deadline {
  readonly atMs: number
  target: Expiring | null
  previous: Deadline | null = null
  next: Deadline | null = null

  constructor(atMs: number, target: Expiring | null) {
    this.atMs = atMs
    this.target = target
  }

  /** Idempotent, also after it has fired. */
  cancel(): void {
    this.target = null
    const { previous, next } = this
    if (previous === null) return
    previous.next = next
    if (next !== null) next.previous = previous
    this.previous = null
    this.next = null
  }
}

export class Deadlines {
  readonly #now: () => number
  /** Heads of the lists; a head itself never fires. */
  readonly #slots: readonly Deadline[] = Array.from({ length: SLOTS }, () => new Deadline(0, null))
  /** The tick up to which all that was due has fired. */
  #turnedTo: number
  #idleTicks = 0
  #timer: NodeJS.Timeout | null = null

  /** `now`: milliseconds of a clock that never jumps. */
  constructor(now: () => number) {
    this.#now = now
    this.#turnedTo = Math.floor(now() / TICK_MS)
  }

  add(atMs: number, target: Expiring): Deadline {
    const deadline = new Deadline(atMs, target)
    if (this.#timer === null) this.#start()
    const tick = Math.max(Math.ceil(atMs / TICK_MS), this.#turnedTo + 1)
    const head = this.#slots[tick % SLOTS]
    if (head === undefined) throw new Error('a deadline needs a time')
    deadline.previous = head
    deadline.next = head.next
    if (head.next !== null) head.next.previous = deadline
    head.next = deadline
    return deadline
  }

  #start(): void {
    this.#turnedTo = Math.floor(this.#now() / TICK_MS)
    this.#idleTicks = 0
    this.#timer = setInterval(() => this.turn(), TICK_MS)
    this.#timer.unref()
  }

  /** What the timer does; also for tests that hold the clock. */
  turn(): void {
    const now = this.#now()
    const to = Math.floor(now / TICK_MS)
    let waiting = 0
    // A loop that stood still for more than a turn needs every slot only once.
    const from = Math.max(this.#turnedTo + 1, to - SLOTS + 1)
    this.#turnedTo = Math.max(this.#turnedTo, to)
    for (let tick = from; tick <= to; tick++) waiting += fire(this.#slots[tick % SLOTS], now)
    this.#idleTicks = waiting > 0 ? 0 : this.#idleTicks + 1
    if (this.#idleTicks > IDLE_TICKS_MAX && this.#isEmpty()) this.stop()
  }

  #isEmpty(): boolean {
    return this.#slots.every((head) => head.next === null)
  }

  /** Deadlines that still wait will not fire. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }
}

/** Fires what is due in one slot, and counts what was found there. */
function fire(head: Deadline | undefined, now: number): number {
  let found = 0
  let due = head?.next ?? null
  while (due !== null) {
    found++
    const { next, target } = due
    if (due.atMs <= now) {
      due.cancel()
      target?.expire()
    }
    // A target that cancels its neighbour takes it off the list: start over, the list is short.
    due = next !== null && next.previous === null ? (head?.next ?? null) : next
  }
  return found
}
