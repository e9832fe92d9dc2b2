/**
 * What a worker does when memory runs short, from the mildest to the hardest: it closes idle
 * connections, answers new requests with 503, and closes new connections unanswered. What runs
 * already goes on.
 * Pinned by pressure.test.ts: "idle connections go first, then requests, then connections".
 */
import { runInNewContext } from 'node:vm'
import { setFlagsFromString } from 'node:v8'
import type { MemoryBoard } from '../memory.ts'
import { type Failure, fail } from '../request/failure.ts'
import type { DrainedConnection } from './drain.ts'
import type { Front } from './front.ts'

/** A client that has just come, or was just answered, may be about to ask. */
const IDLE_MS = 1_000

/** Whether what is counted is held or only not yet collected: looking costs some 10 ms. */
const COLLECT_EVERY_MS = 1_000

const RETRY_AFTER = ['retry-after', '1'] as const
const REFUSAL = fail('overloaded', 'The gateway is short of memory.', RETRY_AFTER)

export interface PressureOptions {
  readonly board: MemoryBoard
  readonly column: number
  readonly front: Pick<Front, 'connections' | 'connectionsMax'>
  readonly held: () => number
  readonly now: () => number
  readonly collect: () => void
}

interface Idle {
  readonly bytesRead: number
  readonly sinceMs: number
}

export class PressureValve {
  readonly #options: PressureOptions
  readonly #connectionsMax: number
  #collectedMs = Number.NEGATIVE_INFINITY
  /** What has been idle since when, while there is pressure. */
  #idle = new Map<DrainedConnection, Idle>()

  constructor(options: PressureOptions) {
    this.#options = options
    this.#connectionsMax = options.front.connectionsMax
  }

  /** Null: the request is welcome. */
  get refusal(): Failure | null {
    return this.#options.board.pressure >= 2 ? REFUSAL : null
  }

  /** Called every so often. */
  look(): void {
    const { board, column, front, held } = this.#options
    board.holds(column, held())
    const { pressure } = board
    front.connectionsMax = pressure >= 3 ? 0 : this.#connectionsMax
    if (pressure >= 1) this.#endIdle()
    else if (this.#idle.size > 0) this.#idle = new Map()
    if (pressure >= 2) this.#collect()
  }

  #endIdle(): void {
    const nowMs = this.#options.now()
    const idle = new Map<DrainedConnection, Idle>()
    for (const connection of this.#options.front.connections) {
      const { state, mode, bytesRead } = connection
      if (state !== 'idle' || mode === 'closing') continue
      const before = this.#idle.get(connection)
      const since = before?.bytesRead === bytesRead ? before : { bytesRead, sinceMs: nowMs }
      if (nowMs - since.sinceMs >= IDLE_MS) connection.end()
      else idle.set(connection, since)
    }
    this.#idle = idle
  }

  /** Nobody else would: where nothing is served, nothing is allocated. */
  #collect(): void {
    const nowMs = this.#options.now()
    if (nowMs - this.#collectedMs < COLLECT_EVERY_MS) return
    this.#collectedMs = nowMs
    this.#options.collect()
  }
}

/** The collector of this thread; node has no other door to it. */
export function collector(): () => void {
  setFlagsFromString('--expose-gc')
  const found: unknown = runInNewContext('gc')
  return () => {
    if (typeof found === 'function') Reflect.apply(found, undefined, [])
  }
}
