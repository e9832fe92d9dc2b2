/**
 * How near the process is to its memory limit, as one number in shared memory that every worker
 * reads: the main thread works it out from what the threads hold, front/pressure.ts acts on it.
 *
 * What counts is what is held: heaps, and with them bodies, buffers of sockets and caches. Memory
 * that the allocator keeps for the next burst is resident too, but refusing requests gives none of
 * it back: with resident bytes alone, one burst could close the door for ever.
 * Pinned by memory.test.ts: "pressure rises with what is held, and falls when it is given back".
 */
import { getHeapStatistics } from 'node:v8'

/** none · idle connections are closed · requests are answered 503 · nobody is accepted */
export type Pressure = 0 | 1 | 2 | 3
const WATERMARKS: readonly number[] = [0.85, 0.92, 0.95]
/** A level is left so far below where it was entered, so that it does not come and go. */
const RETURN = 0.02

/** A burst at full speed brings some 100 MB per second and core. */
export const LOOK_AT_MEMORY_EVERY_MS = 100

/** One cell for the pressure, one for each column of workers. */
export class MemoryBoard {
  readonly shared: SharedArrayBuffer
  readonly #cells: Float64Array

  constructor(shared: SharedArrayBuffer) {
    this.shared = shared
    this.#cells = new Float64Array(shared)
  }

  static for(columns: number): MemoryBoard {
    return new MemoryBoard(new SharedArrayBuffer((1 + columns) * Float64Array.BYTES_PER_ELEMENT))
  }

  get pressure(): number {
    return this.#cells[0] ?? 0
  }

  set pressure(level: Pressure) {
    this.#cells[0] = level
  }

  holds(column: number, bytes: number): void {
    this.#cells[1 + column] = bytes
  }

  get held(): number {
    let sum = 0
    for (const bytes of this.#cells.subarray(1)) sum += bytes
    return sum
  }
}

/** Of this thread: its heap, and what lies outside for it. */
export function bytesHeld(): number {
  const { used_heap_size: heap, external_memory: outside } = getHeapStatistics()
  return heap + outside
}

export interface MemoryOptions {
  readonly board: MemoryBoard
  /** Null: no limit, no pressure. */
  readonly limitBytes: number | null
  readonly resident: () => number
  /** Of the main thread. */
  readonly held: () => number
}

export class MemoryKeeper {
  readonly #options: MemoryOptions
  /** Code, stacks and what else no heap counts: the least that was ever seen. */
  #overhead = Number.POSITIVE_INFINITY
  #used = 0
  #pressure: Pressure = 0

  constructor(options: MemoryOptions) {
    this.#options = options
  }

  get used(): number {
    return this.#used
  }

  get limit(): number {
    return this.#options.limitBytes ?? 0
  }

  get pressure(): Pressure {
    return this.#pressure
  }

  look(): void {
    const { board, limitBytes, resident, held } = this.#options
    const all = board.held + held()
    const real = resident()
    this.#overhead = Math.min(this.#overhead, Math.max(0, real - all))
    this.#used = Math.min(real, this.#overhead + all)
    if (limitBytes === null) return
    this.#pressure = pressureAt(this.#used / limitBytes, this.#pressure)
    board.pressure = this.#pressure
  }
}

function pressureAt(share: number, before: Pressure): Pressure {
  const reached = levelAt(share)
  const stays = levelAt(share + RETURN)
  return reached >= before ? reached : stays < before ? stays : before
}

function levelAt(share: number): Pressure {
  if (share >= (WATERMARKS[2] ?? 1)) return 3
  if (share >= (WATERMARKS[1] ?? 1)) return 2
  return share >= (WATERMARKS[0] ?? 1) ? 1 : 0
}

/** `constrained`: of the cgroup, as node reads it; without one it is huge, or 0. */
export function memoryLimit(
  asked: number | null,
  constrained: number,
  total: number,
): number | null {
  if (asked !== null) return asked
  return constrained > 0 && constrained < total ? constrained : null
}
